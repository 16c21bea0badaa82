import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, take } from "./client";
import type { Session } from "./types";

/** Who is signed in, where, and as what. */
export const me = queryOptions({
  queryKey: ["me"],
  queryFn: (): Promise<Session> => take(api.GET("/api/me")),
  staleTime: 5 * 60_000,
  retry: false,
});

/** The session of a page that is only shown when there is one. */
export function useSession(): Session {
  const { data } = useQuery(me);
  if (!data) throw new Error("a page behind the session was shown without one");
  return data;
}
