import { type QueryClient, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, once, take } from "./client";
import { keys } from "./keys";
import type { Frame } from "./live";
import type { Preferences, User } from "./types";

/** Whether I am at work, and what I am called for, in this workspace. The server keeps it: it is the same on all my devices. */
export const preferences = queryOptions({
  queryKey: keys.preferences,
  queryFn: ({ signal }): Promise<Preferences> => take(api.GET("/api/me/preferences", { signal })),
});

type Change = Partial<Pick<Preferences, "away" | "idleMinutes" | "alerts" | "quiet" | "quietFrom" | "quietUntil">>;

/** Changes them: seen at once, and taken back when the server refuses. */
export function useChangePreferences(onError: (error: unknown) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Change) => take(api.PATCH("/api/me/preferences", { headers: once(), body: change })),
    onMutate: (change) => {
      const before = client.getQueryData<Preferences>(keys.preferences);
      if (before) client.setQueryData<Preferences>(keys.preferences, { ...before, ...change });
      return before;
    },
    onSuccess: (after) => client.setQueryData<Preferences>(keys.preferences, after),
    onError: (error, _, before) => {
      client.setQueryData<Preferences>(keys.preferences, before);
      onError(error);
    },
  });
}

/** Somebody came or went: in the team, and in what I see of myself. */
export function applyAvailability(client: QueryClient, frame: Frame, user: string): void {
  const told = frame.patch?.user as (Pick<User, "availability" | "activeUntil"> & { id: string }) | undefined;
  if (!told) return;
  client.setQueryData<User[]>(keys.users, (team) =>
    team?.map((one) => (one.id === told.id ? { ...one, ...told } : one)),
  );
  const { id, ...presence } = told;
  if (id === user)
    client.setQueryData<Preferences>(keys.preferences, (mine) => (mine ? { ...mine, ...presence } : mine));
}

/** Whether somebody is away at this moment: they said so, or have not moved for as long as they chose. */
export const isAway = (of: Pick<User, "availability" | "activeUntil">, now: number): boolean =>
  of.availability === "away" || (!!of.activeUntil && Date.parse(of.activeUntil) <= now);

/** Whether nothing may ring now, by the clock of this device. The hours may reach over midnight. */
export function isQuiet({ quiet, quietFrom, quietUntil }: Preferences, now: Date): boolean {
  if (!quiet) return false;
  const at = `${String(now.getHours()).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`;
  return quietFrom < quietUntil ? quietFrom <= at && at < quietUntil : quietFrom <= at || at < quietUntil;
}
