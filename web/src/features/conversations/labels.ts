import { type QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { api, take } from "~/api/client";
import { keys } from "~/api/keys";
import type { Frame } from "~/api/live";
import type { Label } from "~/api/types";

/** How many a conversation may carry, as the server says. */
export const MOST = 20;

/** All labels of the workspace, by name: there are at most a hundred. */
export const labels = queryOptions({
  queryKey: keys.labels,
  queryFn: async ({ signal }): Promise<Label[]> =>
    (await take(api.GET("/api/labels", { params: { query: { limit: 100 } }, signal }))).items,
});

const none: ReadonlyMap<string, Label> = new Map();
const byId = (all: Label[]): ReadonlyMap<string, Label> => new Map(all.map((one) => [one.id, one]));

/** The labels by their ids; empty until they are here. */
export const useLabels = (): ReadonlyMap<string, Label> => useQuery({ ...labels, select: byId }).data ?? none;

/** What a conversation carries. An id that the list does not know was deleted a moment ago. */
export const carried = (known: ReadonlyMap<string, Label>, ids: readonly string[]): Label[] =>
  ids.flatMap((id) => known.get(id) ?? []);

const name = (one: Label): string => one.name.toLowerCase();

/** Applies an event about a label to the list of them. */
export function applyLabelFrame(client: QueryClient, frame: Frame, only?: readonly unknown[]): void {
  const label = frame.patch?.label as (Label & { removed?: boolean }) | undefined;
  if (!label || (only && only[0] !== keys.labels[0])) return;
  client.setQueryData<Label[]>(keys.labels, (all) => {
    if (!all) return all;
    const rest = all.filter((one) => one.id !== label.id);
    return label.removed ? rest : [...rest, label].sort((a, b) => (name(a) < name(b) ? -1 : 1));
  });
}
