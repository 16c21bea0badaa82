import { notifyManager, type QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { api, once, onceKey, take } from "~/api/client";
import { describe, Problem } from "~/api/problem";
import type { Media, Message, NewMessage, Session } from "~/api/types";
import { upload } from "~/api/upload";
import { putMessage } from "./cache";

export type OutKind = NewMessage["kind"];

/** A poll, a place or contact cards. */
export interface Part {
  kind: OutKind;
  /** The words that its message will be found by: the question, the place's name. */
  body: string;
  /** As the server takes it. */
  fields: Pick<NewMessage, "poll" | "location" | "contacts">;
  /** As the message will show it. */
  content: Message["content"];
}

/** Something a person has sent that the server has not confirmed yet. Its key makes sure that it happens once. */
export interface Outgoing {
  key: string;
  conversationId: string;
  kind: OutKind;
  body: string;
  replyTo?: string | undefined;
  file?: File | undefined;
  /** The picture or recording while it has no address at the server. */
  preview?: string | undefined;
  durationMs?: number | undefined;
  mediaId?: string | undefined;
  /** What it says besides its words: then the server makes those itself. */
  part?: Pick<Part, "fields" | "content"> | undefined;
  /** The quick reply it was made from. */
  quickReplyId?: string | undefined;
  createdAt: string;
  /** `waiting`: no connection; it goes by itself when there is one. `refused`: the server said no, and why. */
  is: "sending" | "waiting" | "refused";
  reason?: string | undefined;
  /** The message it became, as the stream told before the answer came. */
  messageId?: string | undefined;
}

/** Unsent texts on this device, apart for each person and workspace: nobody sends in another's name. */
class Shelf {
  readonly #prefix: string;

  constructor({ tenant, user }: Session) {
    this.#prefix = `indaba.outbox.${tenant.id}.${user.id}.`;
  }

  put(entry: Outgoing): void {
    // A file cannot be kept over a reload; leaving the page with one is warned about.
    if (entry.file) return;
    try {
      localStorage.setItem(this.#prefix + entry.key, JSON.stringify(entry));
    } catch {
      // Then it lives as long as the page.
    }
  }

  drop(key: string): void {
    try {
      localStorage.removeItem(this.#prefix + key);
    } catch {
      // Nothing was stored.
    }
  }

  all(): Outgoing[] {
    try {
      return Object.keys(localStorage)
        .filter((name) => name.startsWith(this.#prefix))
        .map((name) => ({ ...(JSON.parse(localStorage.getItem(name) ?? "") as Outgoing), is: "waiting" as const }));
    } catch {
      return [];
    }
  }
}

/**
 * What was sent and is not confirmed. One conversation's messages go one after the other, so that they keep their order;
 * what finds no server waits and is tried again with the same key.
 */
export class Outbox {
  #entries: Outgoing[] = [];
  /** Which entry a message came from: its bubble stays the same element. */
  readonly #became = new Map<string, string>();
  readonly #readers = new Set<() => void>();
  readonly #busy = new Set<string>();
  #client: QueryClient | undefined;
  #shelf: Shelf | undefined;

  /** Starts sending for a person, with what an earlier page of theirs left behind. */
  open(client: QueryClient, session: Session): void {
    this.#client = client;
    this.#shelf = new Shelf(session);
    const here = new Set(this.#entries.map((one) => one.key));
    this.#entries = [...this.#entries, ...this.#shelf.all().filter((one) => !here.has(one.key))].sort((a, b) =>
      a.createdAt.localeCompare(b.createdAt),
    );
    this.#tell();
    this.retry();
  }

  watch = (reader: () => void): (() => void) => {
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  };

  all = (): readonly Outgoing[] => this.#entries;

  /** The element's key of a message: that of the bubble it was while it travelled. */
  elementKey(messageId: string): string {
    return this.#became.get(messageId) ?? messageId;
  }

  add(entry: Omit<Outgoing, "key" | "createdAt" | "is" | "reason" | "messageId">): void {
    const made: Outgoing = { ...entry, key: onceKey(), createdAt: new Date().toISOString(), is: "sending" };
    this.#entries = [...this.#entries, made];
    this.#shelf?.put(made);
    this.#tell();
    void this.#send(made.conversationId);
  }

  /** Tries what waits; called when the connection is back. */
  retry = (): void => {
    for (const id of new Set(this.#entries.filter((one) => one.is === "waiting").map((one) => one.conversationId)))
      void this.#send(id);
  };

  /** Sends a refused one again, as a new act. */
  again(key: string): void {
    const entry = this.#entries.find((one) => one.key === key);
    if (!entry) return;
    this.drop(key);
    this.add(entry);
  }

  drop(key: string): void {
    this.#shelf?.drop(key);
    this.#entries = this.#entries.filter((one) => one.key !== key);
    this.#tell();
  }

  /** The stream shows a message of ours: perhaps one whose answer is still on its way. */
  arrived(message: Message, user: string): void {
    if (message.direction !== "outbound" || message.author.kind !== "user" || message.author.id !== user) return;
    if (this.#became.has(message.id)) return;
    const entry = this.#entries.find(
      (one) =>
        !one.messageId &&
        one.is !== "refused" &&
        one.conversationId === message.conversationId &&
        one.kind === message.kind &&
        one.body === (message.body ?? "") &&
        (!one.mediaId || one.mediaId === message.media?.id),
    );
    if (!entry) return;
    // Shown as the message from now on, but kept until its own answer says so: it may have been another tab's.
    this.#became.set(message.id, entry.key);
    this.#change(entry.key, { messageId: message.id });
  }

  #settle(entry: Outgoing, message: Message): void {
    this.#shelf?.drop(entry.key);
    if (!entry.messageId) this.#became.set(message.id, entry.key);
    this.#entries = this.#entries.filter((one) => one.key !== entry.key);
    this.#tell();
  }

  #change(key: string, change: Partial<Outgoing>): void {
    this.#entries = this.#entries.map((one) => (one.key === key ? { ...one, ...change } : one));
    this.#tell();
  }

  #tell(): void {
    // In one breath with the query cache: a bubble must not be gone for a moment when its message takes its place.
    for (const reader of this.#readers) notifyManager.schedule(reader);
  }

  async #send(conversationId: string): Promise<void> {
    if (!this.#client || this.#busy.has(conversationId)) return;
    this.#busy.add(conversationId);
    try {
      for (;;) {
        const next = this.#entries.find((one) => one.conversationId === conversationId && one.is !== "refused");
        if (!next) return;
        if (next.is === "waiting") this.#change(next.key, { is: "sending" });
        if (!(await this.#sendOne(next))) return;
      }
    } finally {
      this.#busy.delete(conversationId);
    }
  }

  /** False when there is no use in going on now. */
  async #sendOne(entry: Outgoing): Promise<boolean> {
    try {
      let { mediaId } = entry;
      if (entry.file && !mediaId) {
        const media: Media = await upload(entry.file);
        mediaId = media.id;
        this.#change(entry.key, { mediaId });
      }
      const message = await take(
        api.POST("/api/conversations/{id}/messages", {
          params: { path: { id: entry.conversationId } },
          headers: once(entry.key),
          body: {
            kind: entry.kind,
            ...(entry.part ? entry.part.fields : entry.body && { body: entry.body }),
            ...(mediaId && { mediaId }),
            ...(entry.replyTo && { replyTo: entry.replyTo }),
            ...(entry.quickReplyId && { quickReplyId: entry.quickReplyId }),
          },
        }),
      );
      notifyManager.batch(() => {
        if (this.#client) putMessage(this.#client, message, { answer: true });
        this.#settle(entry, message);
      });
      return true;
    } catch (error) {
      const refused = error instanceof Problem && error.status < 500 && error.status !== 429 && error.status !== 401;
      if (refused) {
        this.#change(entry.key, { is: "refused", reason: describe(error).detail, messageId: undefined });
        return true;
      }
      // Those behind it in its conversation wait with it.
      const { conversationId } = entry;
      this.#entries = this.#entries.map((one) =>
        one.conversationId === conversationId && one.is === "sending" ? { ...one, is: "waiting" as const } : one,
      );
      this.#tell();
      if (error instanceof Problem) setTimeout(this.retry, (error.retryAfter ?? 5) * 1000);
      return false;
    }
  }
}

export const outbox = new Outbox();

const none: readonly Outgoing[] = [];

/** What this person has under way in one conversation, oldest first. */
export function useOutgoing(conversationId: string): readonly Outgoing[] {
  const all = useSyncExternalStore(outbox.watch, outbox.all);
  const mine = all.filter((one) => one.conversationId === conversationId && !one.messageId);
  return mine.length ? mine : none;
}

/** How many wait for a connection: the banner counts them. */
export function useWaiting(): number {
  return useSyncExternalStore(outbox.watch, outbox.all).filter((one) => one.is === "waiting").length;
}
