import { queryOptions } from "@tanstack/react-query";
import { api, take } from "~/api/client";
import { keys } from "~/api/keys";
import type { Gateway, Instance } from "~/api/types";

/** All numbers of the workspace. There are a handful: one page of a hundred holds them. */
export const instances = queryOptions({
  queryKey: keys.instances,
  queryFn: async ({ signal }): Promise<Instance[]> =>
    (await take(api.GET("/api/instances", { params: { query: { limit: 100 } }, signal }))).items,
});

/** The servers that numbers may be put on: the workspace's own, and the operator's. For admins. */
export const gateways = queryOptions({
  queryKey: keys.gateways,
  queryFn: async ({ signal }): Promise<Gateway[]> =>
    (await take(api.GET("/api/gateways", { params: { query: { limit: 100 } }, signal }))).items,
});

/** Where a number can go that lives on this gateway: it must carry linked devices, and have room. */
export const elsewhere = (all: Gateway[], from: string | undefined): Gateway[] =>
  all.filter((one) => one.id !== from && one.kind !== "cloud" && !one.draining && one.instances < one.capacity);
