import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { describe } from "~/api/problem";
import type { Instance } from "~/api/types";
import { t } from "~/i18n/t";
import { toast } from "~/ui/toast";

export type InstanceAct = "start" | "stop" | "logout" | "sync-status" | "sync-chats";

/** What can be asked of a number; the answer is its new state. */
export function useInstanceAct() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, act }: { id: string; act: InstanceAct }): Promise<Instance> =>
      take(api.POST(`/api/instances/{id}/${act}`, { params: { path: { id } }, headers: once() })),
    onSuccess: (after) => put(client, after),
    onError: (error) => toast.error(t("toast.notDone", { why: describe(error).detail })),
  });
}

export function useRename() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) =>
      take(api.PATCH("/api/instances/{id}", { params: { path: { id } }, headers: once(), body: { name } })),
    onSuccess: (after) => put(client, after),
  });
}

export function useDelete() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: { id: string }) =>
      take(api.DELETE("/api/instances/{id}", { params: { path: { id } }, headers: once() })),
    onSuccess: (_, { id }) =>
      client.setQueryData<Instance[]>(keys.instances, (all) => all?.filter((one) => one.id !== id)),
    onError: (error) => toast.error(t("toast.notDone", { why: describe(error).detail })),
  });
}

/** New keys for a number of the Cloud API; Meta is asked before they are kept. */
export interface NewKeys {
  accessToken?: string;
  appSecret?: string;
  /** Registers the number again. */
  pin?: string;
}

export async function renew(client: ReturnType<typeof useQueryClient>, id: string, settings: NewKeys): Promise<void> {
  put(
    client,
    await take(api.PATCH("/api/instances/{id}", { params: { path: { id } }, headers: once(), body: { settings } })),
  );
}

export function put(client: ReturnType<typeof useQueryClient>, one: Instance): void {
  client.setQueryData<Instance[]>(keys.instances, (all) =>
    !all
      ? all
      : all.some((other) => other.id === one.id)
        ? all.map((other) => (other.id === one.id ? one : other))
        : [...all, one],
  );
}
