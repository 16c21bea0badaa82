import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, take } from "~/api/client";
import { keys } from "~/api/keys";
import type { Conversation, Message, Note, Page } from "~/api/types";
import { type Filter, query } from "./filter";

const PAGE = 50;

export const conversations = (filter: Filter) =>
  infiniteQueryOptions({
    queryKey: [...keys.conversationLists, filter],
    queryFn: ({ pageParam, signal }): Promise<Page<Conversation>> =>
      take(
        api.GET("/api/conversations", {
          params: { query: { ...query(filter), limit: PAGE, ...(pageParam && { after: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
  });

export const counts = queryOptions({
  queryKey: keys.counts,
  queryFn: ({ signal }) => take(api.GET("/api/conversations/counts", { signal })),
});

/** The conversation itself. Usually there already: from the list, or from the answer that brought its messages. */
export const conversation = (id: string) =>
  queryOptions({
    queryKey: keys.conversation(id),
    queryFn: ({ signal }): Promise<Conversation> =>
      take(api.GET("/api/conversations/{id}", { params: { path: { id }, query: {} }, signal })),
  });

/** A page of a thread: its messages, and the notes that were written among them. */
export type ThreadPage = Page<Message> & { notes: Note[] };

/** Its messages, newest first. The first page brings the conversation and its contact with it: one request a switch. */
export const messages = (id: string) =>
  infiniteQueryOptions({
    queryKey: keys.messages(id),
    queryFn: async ({ pageParam, signal, client }): Promise<ThreadPage> => {
      if (pageParam)
        return take(
          api.GET("/api/conversations/{id}/messages", {
            params: { path: { id }, query: { limit: PAGE, after: pageParam } },
            signal,
          }),
        );
      const {
        messages: page,
        contactDetail,
        ...rest
      } = await take(
        api.GET("/api/conversations/{id}", {
          params: { path: { id }, query: { include: "messages,contact" } },
          signal,
        }),
      );
      client.setQueryData(keys.conversation(id), rest as Conversation);
      if (contactDetail) client.setQueryData(keys.contact(contactDetail.id), contactDetail);
      return page ?? { items: [], notes: [], next: null };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
  });
