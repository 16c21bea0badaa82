import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import type { NewQuickReply, QuickReply } from "~/api/types";

/** Everybody's and one's own, by shortcut: all of them, so that they are searched while keys are pressed. There are at most 600. */
export const quickReplies = queryOptions({
  queryKey: keys.quickReplies,
  queryFn: async ({ signal }): Promise<QuickReply[]> => {
    const all: QuickReply[] = [];
    for (let after: string | undefined; ; ) {
      const query = { limit: 100, ...(after && { after }) };
      const page = await take(api.GET("/api/quick-replies", { params: { query }, signal }));
      all.push(...page.items);
      if (!page.next) return all;
      after = page.next;
    }
  },
});

/** Those in which all the words are found; a shortcut that begins with them comes first. */
export function search(all: QuickReply[], words: string): QuickReply[] {
  const term = words.trim().replace(/^\//, "").toLowerCase();
  const parts = term.split(/\s+/);
  const holds = (one: QuickReply) => {
    const text = `${one.shortcut} ${one.title} ${one.body}`.toLowerCase();
    return parts.every((part) => text.includes(part));
  };
  const rank = (one: QuickReply) => (one.shortcut === term ? 0 : one.shortcut.startsWith(term) ? 1 : 2);
  return all.filter(holds).sort((a, b) => rank(a) - rank(b));
}

/** Makes one, or changes the one with this id. */
export function useSave() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: NewQuickReply & { id?: string | undefined }) =>
      take(
        id
          ? api.PATCH("/api/quick-replies/{id}", { params: { path: { id } }, headers: once(), body })
          : api.POST("/api/quick-replies", { headers: once(), body }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.quickReplies }),
  });
}

export function useRemove() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      take(api.DELETE("/api/quick-replies/{id}", { params: { path: { id } }, headers: once() })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.quickReplies }),
  });
}

/** Some people, to try a text with. */
export const people = queryOptions({
  queryKey: [...keys.quickReplies, "people"],
  queryFn: async ({ signal }) =>
    (await take(api.GET("/api/contacts", { params: { query: { limit: 20 } }, signal }))).items,
});
