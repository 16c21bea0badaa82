import type { Conversation } from "~/api/types";
import { type Asked, created, done, missing, ok, page, problem, type Routes } from "./answer.ts";
import { send } from "./messages.ts";
import type { FakeServer } from "./server.ts";

/** The conversations that a filter lets through, in the order that was asked for. */
function list({ conversations, session }: FakeServer, query: URLSearchParams): Conversation[] {
  const at = (one: Conversation) => one.lastMessage?.at ?? one.createdAt;
  const state = query.get("state") ?? "open";
  const assignee = query.get("assignee");
  const found = conversations.filter(
    (one) =>
      (state === "all" || one.state === state) &&
      (!query.get("instanceId") || one.instanceId === query.get("instanceId")) &&
      (assignee !== "me" || one.assignee?.id === session?.user.id) &&
      (assignee !== "none" || !one.assignee) &&
      (!query.get("label") || one.labels.includes(query.get("label") ?? "")) &&
      (!query.get("unread") || one.unreadCount > 0) &&
      (query.get("waiting") !== "us" || one.lastMessage?.direction === "inbound") &&
      (query.get("waiting") !== "them" || one.lastMessage?.direction === "outbound"),
  );
  const newest = (a: Conversation, b: Conversation) => at(b).localeCompare(at(a));
  const waits = (one: Conversation) => one.waitingSince ?? "9";
  const orders: Record<string, typeof newest> = {
    oldest: (a, b) => -newest(a, b),
    unread: (a, b) => Number(b.unreadCount > 0) - Number(a.unreadCount > 0) || newest(a, b),
    waiting: (a, b) => waits(a).localeCompare(waits(b)) || newest(a, b),
  };
  return found.sort(orders[query.get("sort") ?? ""] ?? newest);
}

function change(server: FakeServer, one: Conversation, { body }: Asked): void {
  if (body.state) one.state = body.state as Conversation["state"];
  if ("assigneeId" in body) one.assignee = server.users.find((other) => other.id === body.assigneeId) ?? null;
  server.emit(
    body.state ? "conversation.closed" : "conversation.assigned",
    { conversation: one.id },
    { conversation: one },
  );
}

/** Puts a label on, or takes it off. */
function label(server: FakeServer, one: Conversation, { method }: Asked, id: string): void {
  const rest = one.labels.filter((other) => other !== id);
  if (method === "DELETE") one.labels = rest;
  else if (!one.labels.includes(id)) one.labels = [...rest, id];
  server.emit("conversation.labelled", { conversation: one.id }, { conversation: one });
}

/** Conversations, what is in them, and what the team notes about them. */
export const conversations: Routes = {
  "* /api/conversations/counts": (server) => {
    const open = server.conversations.filter((one) => one.state === "open");
    return ok({
      open: open.length,
      unread: open.filter((one) => one.unreadCount > 0).length,
      unassigned: open.filter((one) => !one.assignee).length,
      mine: open.filter((one) => one.assignee?.id === server.session?.user.id).length,
    });
  },
  "GET /api/conversations": (server, { query }) => ok(page(list(server, query), query)),
  "POST /api/conversations": (server, { body }) => {
    const one = server.conversations.find(
      (other) => other.contact.id === body.contactId || other.contact.phone === body.phone,
    );
    return one ? created(one) : problem(422, "invalid", "This number is not on WhatsApp.");
  },
  "* /api/conversations/:id/:act": (server, asked, id, act) => {
    const one = server.conversation(id);
    if (!one) return missing("conversation");
    const { method, query, body } = asked;
    const thread = server.thread(id);
    if (act === "messages")
      return method === "GET" ? ok({ ...page(thread, query), notes: [] }) : send(server, one, asked);
    if (act === "notes")
      return created(
        structuredClone(server.note(one, { body: String(body.body), mentions: (body.mentions as string[]) ?? [] })),
      );
    if (act === "read") one.unreadCount = 0;
    if (act?.startsWith("labels/")) label(server, one, asked, act.slice("labels/".length));
    if (method === "PATCH") change(server, one, asked);
    if (!query.get("include")) return ok(structuredClone(one));
    const notes = server.notes.filter((other) => other.conversationId === id).reverse();
    return ok({
      ...structuredClone(one),
      messages: { ...page(thread, new URLSearchParams({ limit: "50" })), notes: structuredClone(notes) },
      contactDetail: server.contacts.find((other) => other.id === one.contact.id),
    });
  },
  "* /api/notes/:id": (server, _, id) => {
    const one = server.notes.find((other) => other.id === id);
    if (!one) return missing("note");
    server.notes = server.notes.filter((other) => other !== one);
    const gone = { id, conversationId: one.conversationId, removed: true };
    server.emit("note.deleted", { conversation: one.conversationId, note: id }, { note: gone });
    return done;
  },
};
