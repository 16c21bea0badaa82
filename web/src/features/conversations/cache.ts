import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import { keys } from "~/api/keys";
import { changed, find, flatten, type Pages, placed, without } from "~/api/pages";
import type { Conversation, Message, MessageState, Note } from "~/api/types";
import { type Filter, matches, order } from "./filter";
import type { ThreadPage } from "./queries";

type Only = readonly unknown[] | undefined;

const same = (key: readonly unknown[], only: Only): boolean =>
  !only || (key.length === only.length && JSON.stringify(key) === JSON.stringify(only));

/** The conversation, from wherever it is cached. */
export function known(client: QueryClient, id: string): Conversation | undefined {
  const one = client.getQueryData<Conversation>(keys.conversation(id));
  if (one) return one;
  for (const [, pages] of client.getQueriesData<Pages<Conversation>>({ queryKey: keys.conversationLists })) {
    const listed = find(pages, id);
    if (listed) return listed;
  }
  return undefined;
}

/**
 * Puts what is now true of a conversation wherever it is shown: it enters the lists it belongs to, leaves the others,
 * and stands where the order wants it. False when too little is known of it to tell.
 */
export function putConversation(
  client: QueryClient,
  patch: Partial<Conversation> & { id: string },
  user: string,
  only?: Only,
): boolean {
  const before = known(client, patch.id);
  const whole = { ...before, ...patch } as Conversation;
  if (!whole.contact || !whole.instanceId || !whole.state) return false;
  const oneKey = keys.conversation(patch.id);
  if (same(oneKey, only) && client.getQueryData(oneKey)) client.setQueryData(oneKey, whole);
  for (const [key, pages] of client.getQueriesData<Pages<Conversation>>({ queryKey: keys.conversationLists })) {
    if (!pages || !same(key, only)) continue;
    const filter = key[2] as Filter;
    const listed = find(pages, whole.id);
    const sort = order(filter.sort);
    const next = !matches(filter, whole, user, !!listed)
      ? without(pages, whole.id)
      : listed && sort(listed, whole) === 0
        ? changed(pages, whole.id, () => whole)
        : placed(pages, whole, sort);
    if (next !== pages) client.setQueryData(key, next);
  }
  return true;
}

/** Newest first: ids carry their time, and what we made up ourselves (`tmp_…`) comes after all of them. */
export const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

const progress: MessageState[] = ["queued", "sending", "sent", "delivered", "read"];

/** How far a message has come. One that failed, or whose fate is unknown, has been sent as far as it went. */
const reached = (state: MessageState): number => (progress.includes(state) ? progress.indexOf(state) : 2);

/** Puts a whole message into its thread, by id. `answer`: it comes from a request, which may be older than the stream. */
export function putMessage(
  client: QueryClient,
  message: Message,
  { only, answer }: { only?: Only; answer?: boolean } = {},
): void {
  const key = keys.messages(message.conversationId);
  const pages = client.getQueryData<Pages<Message>>(key);
  if (!pages || !same(key, only)) return;
  const before = find(pages, message.id);
  if (before && answer && reached(before.state) > reached(message.state)) return;
  client.setQueryData(key, before ? changed(pages, message.id, () => message) : placed(pages, message, byId));
}

/** Changes what is known of a message; nothing when its thread is not on this page. */
export function changeMessage(
  client: QueryClient,
  patch: Partial<Message> & { id: string },
  conversation: string | undefined,
  user: string,
  only?: Only,
): void {
  const threads = client.getQueriesData<Pages<Message>>({
    queryKey: conversation ? keys.messages(conversation) : ["messages"],
  });
  for (const [key, pages] of threads) {
    if (!pages || !same(key, only)) continue;
    const next = changed(pages, patch.id, (message) => ({ ...message, ...patch }));
    if (next !== pages) client.setQueryData(key, next);
  }
  // The row of the list shows the words and the tick of its last message.
  if (!conversation || (!patch.state && !("body" in patch))) return;
  const row = known(client, conversation);
  if (row?.lastMessage?.id !== patch.id) return;
  const lastMessage = {
    ...row.lastMessage,
    ...(patch.state && { state: patch.state }),
    ...("body" in patch && { preview: patch.body ?? "" }),
  };
  putConversation(client, { id: conversation, lastMessage }, user, only);
}

/** Takes a message away that turned out to be another one (our own, echoed before the gateway's answer came). */
export function dropMessage(client: QueryClient, id: string, conversation: string, only?: Only): void {
  const key = keys.messages(conversation);
  const pages = client.getQueryData<Pages<Message>>(key);
  if (!pages || !same(key, only)) return;
  const next = without(pages, id);
  if (next !== pages) client.setQueryData(key, next);
}

/** Where messages and notes stand among each other: the time that their ids carry, behind `msg_` and `nte_`. */
export const place = (one: { id: string }): string => one.id.slice(one.id.indexOf("_") + 1);

const changeNotes = (
  client: QueryClient,
  { id, conversationId }: Pick<Note, "id" | "conversationId">,
  change: (notes: Note[], here: boolean) => Note[],
  only?: Only,
): void => {
  const key = keys.messages(conversationId);
  const thread = client.getQueryData<InfiniteData<ThreadPage, unknown>>(key);
  if (!thread || !same(key, only)) return;
  // It belongs to the first page that reaches as far back as it does; beyond the last of them it comes when that is read.
  const home = thread.pages.findIndex((page) => !page.next || page.items.some((one) => place(one) < place({ id })));
  client.setQueryData(key, {
    ...thread,
    pages: thread.pages.map((page, at) => ({ ...page, notes: change(page.notes, at === home) })),
  });
};

/** Puts a note into its thread, once. */
export const putNote = (client: QueryClient, note: Note, only?: Only): void =>
  changeNotes(
    client,
    note,
    (notes, here) => [...(here ? [note] : []), ...notes.filter((one) => one.id !== note.id)],
    only,
  );

/** Takes a note away. */
export const dropNote = (client: QueryClient, note: Pick<Note, "id" | "conversationId">, only?: Only): void =>
  changeNotes(client, note, (notes) => notes.filter((one) => one.id !== note.id), only);

/** Takes a conversation out of all lists: it became part of another. */
export function dropConversation(client: QueryClient, id: string): void {
  for (const [key, pages] of client.getQueriesData<Pages<Conversation>>({ queryKey: keys.conversationLists })) {
    if (!pages) continue;
    const next = without(pages, id);
    if (next !== pages) client.setQueryData(key, next);
  }
}

/** Changes a contact's name or number in the rows that show it. */
export function renameContact(client: QueryClient, contact: Conversation["contact"], user: string, only?: Only): void {
  const rows = new Set<string>();
  for (const [, pages] of client.getQueriesData<Pages<Conversation>>({ queryKey: keys.conversationLists }))
    for (const row of flatten(pages)) if (row.contact.id === contact.id) rows.add(row.id);
  for (const [, one] of client.getQueriesData<Conversation>({ queryKey: ["conversations", "one"] }))
    if (one?.contact.id === contact.id) rows.add(one.id);
  for (const id of rows) putConversation(client, { id, contact }, user, only);
}
