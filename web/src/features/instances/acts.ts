import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { describe } from "~/api/problem";
import type { Instance } from "~/api/types";
import { t } from "~/i18n/t";
import { toast } from "~/ui/toast";
import { isLinked } from "./state";

export type InstanceAct = "start" | "stop" | "logout" | "sync-status" | "sync-chats";

const notDone = (error: unknown) => toast.error(t("toast.notDone", { why: describe(error).detail }));

/** What can be asked of a number; the answer is its new state. `inPlace`: whoever asks says itself what went wrong. */
export function useInstanceAct({ inPlace = false } = {}) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, act }: { id: string; act: InstanceAct }): Promise<Instance> =>
      take(api.POST(`/api/instances/{id}/${act}`, { params: { path: { id } }, headers: once() })),
    onSuccess: (after) => put(client, after),
    onError: inPlace ? () => undefined : notDone,
  });
}

/** How many numbers are asked after when the page opens; whoever has more can ask for one of them. */
const MOST = 20;

/**
 * Asks the gateways once how their numbers are, when somebody comes to look: one after the other, so that a gateway that is gone
 * holds up nothing else. Nobody asked for it by hand, so nobody is told when it fails.
 */
export function useReconciled(ready: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!ready) return;
    const left = new AbortController();
    const { signal } = left;
    void (async () => {
      const linked = client.getQueryData<Instance[]>(keys.instances)?.filter(isLinked).slice(0, MOST) ?? [];
      for (const { id } of linked) {
        if (signal.aborted) return;
        await take(api.POST("/api/instances/{id}/sync-status", { params: { path: { id } }, signal })).then(
          (after) => put(client, after),
          () => undefined,
        );
      }
    })();
    return () => left.abort();
  }, [ready, client]);
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
    onError: notDone,
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
