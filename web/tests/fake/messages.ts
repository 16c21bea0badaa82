import type { Conversation, Message } from "~/api/types";
import { type Answer, type Asked, created, missing, ok, page, type Routes } from "./answer.ts";
import * as data from "./data.ts";
import type { FakeServer } from "./server.ts";

function cards({ contacts }: FakeServer, of: unknown): { name: string; phones: { value: string }[] }[] {
  return (of as { contactId?: string; name?: string; phone?: string }[]).map((one) => {
    const known = contacts.find((other) => other.id === one.contactId);
    return { name: known?.name ?? one.name ?? "", phones: [{ value: known?.phone ?? one.phone ?? "" }] };
  });
}

/** Somebody of ours writes. */
export function send(server: FakeServer, to: Conversation, { body }: Asked): Answer {
  const quoted = server.thread(to.id).find((one) => one.id === body.replyTo);
  // What is said without a text of its own is found by its first words.
  const part = body.poll ?? body.location ?? (body.contacts ? { contacts: cards(server, body.contacts) } : {});
  const said = part as { question?: string; name?: string; contacts?: { name: string }[] };
  const made = server.say(to, {
    direction: "outbound",
    kind: String(body.kind),
    body: (body.body as string) ?? said.question ?? said.name ?? said.contacts?.[0]?.name ?? null,
    content: part as Message["content"],
    state: "queued",
    replyTo: (body.replyTo as string) ?? null,
    quoted: quoted
      ? {
          id: quoted.id,
          kind: quoted.kind,
          preview: quoted.body ?? "",
          direction: quoted.direction,
          author: quoted.author,
        }
      : null,
    media: server.media.get(String(body.mediaId)) ?? null,
  });
  return created(structuredClone(made));
}

/** What is done with a message, the files that go with them, and what is found in them. */
export const messages: Routes = {
  "* /api/messages/:id/:act": (server, { body }, id, act) => {
    const one = server.messages.find((other) => other.id === id);
    if (!one) return missing("message");
    if (act === "reactions") {
      const others = one.reactions.filter((other) => other.by.id !== data.me.id);
      one.reactions = body.emoji
        ? [...others, { emoji: String(body.emoji), by: { kind: "user", ...data.me }, at: new Date().toISOString() }]
        : others;
    }
    if (act === "resend") server.move(id, "queued", { error: null });
    if (act === "mark-sent") server.move(id, "sent", { error: null });
    if (act === "cancel") server.move(id, "cancelled");
    return ok(structuredClone(one));
  },
  "* /api/media": (server) => {
    const made = data.media();
    server.media.set(made.id, made);
    return created(made);
  },
  "* /api/search": (server, { query }) => {
    const words = (query.get("q") ?? "").toLowerCase();
    const hits = server.messages
      .filter((one) => one.body?.toLowerCase().includes(words))
      .map(({ id, kind, direction, body, createdAt, conversationId }) => ({
        kind: "message",
        contact: server.conversation(conversationId)?.contact,
        conversationId,
        message: { id, kind, direction, preview: body, createdAt },
        snippet: body,
      }));
    return ok(page(hits, query));
  },
};
