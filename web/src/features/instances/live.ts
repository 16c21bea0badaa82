import type { QueryClient } from "@tanstack/react-query";
import { keys } from "~/api/keys";
import type { Frame } from "~/api/live";
import type { Instance } from "~/api/types";

/** Applies a change of a number's state to the cards and to an open QR dialog. */
export function applyInstanceFrame(client: QueryClient, frame: Frame, only?: readonly unknown[]): void {
  if (only && only[0] !== keys.instances[0]) return;
  const patch = frame.patch?.instance as (Partial<Instance> & { id?: string }) | undefined;
  const id = patch?.id ?? frame.ids?.instance;
  if (!patch || !id) return;
  const list = client.getQueryData<Instance[]>(keys.instances);
  if (!list) return;
  if (list.some((one) => one.id === id))
    client.setQueryData<Instance[]>(
      keys.instances,
      list.map((one) => (one.id === id ? { ...one, ...patch, id } : one)),
    );
  else if (!only) void client.invalidateQueries({ queryKey: keys.instances });
}
