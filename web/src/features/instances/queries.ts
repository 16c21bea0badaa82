import { queryOptions } from "@tanstack/react-query";
import { api, take } from "~/api/client";
import { keys } from "~/api/keys";
import type { Instance } from "~/api/types";

/** All numbers of the workspace. There are a handful: one page of a hundred holds them. */
export const instances = queryOptions({
  queryKey: keys.instances,
  queryFn: async ({ signal }): Promise<Instance[]> =>
    (await take(api.GET("/api/instances", { params: { query: { limit: 100 } }, signal }))).items,
});
