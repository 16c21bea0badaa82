import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import type { Contact, Page } from "~/api/types";

export const contact = (id: string) =>
  queryOptions({
    queryKey: keys.contact(id),
    queryFn: ({ signal }) => take(api.GET("/api/contacts/{id}", { params: { path: { id } }, signal })),
  });

export interface ContactFilter {
  search: string;
  status: Contact["status"] | "";
}

export const contacts = ({ search, status }: ContactFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.contactLists, { search, status }],
    queryFn: ({ pageParam, signal }): Promise<Page<Contact>> =>
      take(
        api.GET("/api/contacts", {
          params: {
            query: {
              limit: 50,
              ...(search && { search }),
              ...(status && { status }),
              ...(pageParam && { after: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
  });

export type ContactChange = { name?: string; status?: Contact["status"]; ownerId?: string | null };

export function useContactChange(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: ContactChange) =>
      take(api.PATCH("/api/contacts/{id}", { params: { path: { id } }, headers: once(), body: change })),
    onSuccess: (after) => {
      client.setQueryData(keys.contact(id), after);
      void client.invalidateQueries({ queryKey: keys.contactLists });
    },
  });
}

/** Opens the conversation with a number or a contact; there is one for ever. */
export function useStart() {
  return useMutation({
    mutationFn: (to: { contactId?: string; phone?: string; instanceId?: string }) =>
      take(api.POST("/api/conversations", { headers: once(), body: to })),
  });
}
