import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./keys";
import type { User } from "./types";

/** The team: everyone of this workspace. */
export const people = queryOptions({
  queryKey: keys.users,
  queryFn: async ({ signal }): Promise<User[]> =>
    (await take(api.GET("/api/users", { params: { query: { limit: 100 } }, signal }))).items,
});
