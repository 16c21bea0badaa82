import { notifyManager, type QueryClient } from "@tanstack/react-query";
import { keys } from "~/api/keys";
import type { Frame } from "~/api/live";
import type { Contact, Conversation, Message, Note } from "~/api/types";
import {
  changeMessage,
  dropConversation,
  dropMessage,
  dropNote,
  putConversation,
  putMessage,
  putNote,
  renameContact,
} from "./cache";
import { outbox } from "./outbox";
import { conversation } from "./queries";

type Patch = {
  /** `removed`: it never was a message of its own. */
  message?: Partial<Message> & { id: string; removed?: boolean };
  conversation?: Partial<Conversation> & { id: string };
  contact?: Contact;
  note?: Note & { removed?: boolean };
  /** What became part of the conversation or the contact of this patch. */
  gone?: string;
};

const asked = new Set<string>();

/** Reads a conversation of which the stream told too little, once at a time. */
function ask(client: QueryClient, id: string, user: string): void {
  if (asked.has(id)) return;
  asked.add(id);
  client
    .fetchQuery({ ...conversation(id), staleTime: 0 })
    .then((one) => putConversation(client, one, user))
    .catch(() => undefined)
    .finally(() => asked.delete(id));
}

const GAP = 5_000;
let lastCount = 0;
let counting: ReturnType<typeof setTimeout> | undefined;

/** Counts change with almost every event: they are read again soon, but not more than once in five seconds. */
function countSoon(client: QueryClient): void {
  if (counting) return;
  const wait = Math.max(250, lastCount + GAP - Date.now());
  counting = setTimeout(() => {
    counting = undefined;
    lastCount = Date.now();
    void client.invalidateQueries({ queryKey: keys.counts });
  }, wait);
}

/** Applies an event about messages, conversations or contacts to what is on the page. */
export function applyConversationFrame(
  client: QueryClient,
  frame: Frame,
  user: string,
  only?: readonly unknown[],
): void {
  const { message, conversation: changed, contact, gone, note } = (frame.patch ?? {}) as Patch;
  const id = frame.ids?.conversation ?? changed?.id ?? message?.conversationId;
  if (message) {
    if (message.removed) {
      if (id) dropMessage(client, message.id, id, only);
    } else if (message.conversationId && message.kind) {
      notifyManager.batch(() => {
        if (!only) outbox.arrived(message as Message, user);
        putMessage(client, message as Message, { only });
      });
    } else changeMessage(client, message, id, user, only);
  }
  if (changed) {
    if (gone && !only) {
      dropConversation(client, gone);
      void client.invalidateQueries({ queryKey: keys.messages(changed.id) });
    }
    const enough = putConversation(client, { ...changed, id: changed.id ?? id }, user, only);
    if (!enough && !only) ask(client, changed.id ?? id, user);
    if (!only) countSoon(client);
  }
  if (note) (note.removed ? dropNote : putNote)(client, note, only);
  if (contact) renameContact(client, { id: contact.id, name: contact.name, phone: contact.phone }, user, only);
}
