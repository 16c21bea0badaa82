import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Session } from "~/api/types";

const KEEP_MS = 30 * 24 * 60 * 60_000;

const SAVE_AFTER_MS = 400;

interface Kept {
  text: string;
  at: number;
}

/** What was typed and not sent, by conversation. On this device, apart for each person and workspace, for 30 days. */
class Drafts {
  #prefix = "";
  #texts: ReadonlyMap<string, string> = new Map();
  readonly #readers = new Set<() => void>();

  open({ tenant, user }: Session): void {
    this.#prefix = `indaba.draft.${tenant.id}.${user.id}.`;
    const texts = new Map<string, string>();
    try {
      for (const name of Object.keys(localStorage).filter((one) => one.startsWith(this.#prefix))) {
        const { text, at } = JSON.parse(localStorage.getItem(name) ?? "{}") as Kept;
        if (text && Date.now() - at < KEEP_MS) texts.set(name.slice(this.#prefix.length), text);
        else localStorage.removeItem(name);
      }
    } catch {
      // Storage is blocked: drafts live as long as the page.
    }
    this.#texts = texts;
    this.#tell();
  }

  watch = (reader: () => void): (() => void) => {
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  };

  all = (): ReadonlyMap<string, string> => this.#texts;

  get(conversation: string): string {
    return this.#texts.get(conversation) ?? "";
  }

  put(conversation: string, text: string): void {
    if (this.get(conversation) === text) return;
    const texts = new Map(this.#texts);
    if (text.trim()) texts.set(conversation, text);
    else texts.delete(conversation);
    this.#texts = texts;
    try {
      if (text.trim())
        localStorage.setItem(this.#prefix + conversation, JSON.stringify({ text, at: Date.now() } satisfies Kept));
      else localStorage.removeItem(this.#prefix + conversation);
    } catch {
      // As above.
    }
    this.#tell();
  }

  #tell(): void {
    for (const reader of this.#readers) reader();
  }
}

export const drafts = new Drafts();

export const useDrafts = (): ReadonlyMap<string, string> => useSyncExternalStore(drafts.watch, drafts.all);

/** The text of one conversation. It is kept a moment after the last key, and at once when the page or the conversation is left. */
export function useDraft(conversation: string): [text: string, setText: (text: string) => void] {
  const [text, setText] = useState(() => drafts.get(conversation));
  const latest = useRef(text);
  latest.current = text;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the text starts the wait anew
  useEffect(() => {
    const timer = setTimeout(() => drafts.put(conversation, latest.current), SAVE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [conversation, text]);
  useEffect(() => {
    const keep = () => drafts.put(conversation, latest.current);
    addEventListener("pagehide", keep);
    return () => {
      removeEventListener("pagehide", keep);
      keep();
    };
  }, [conversation]);
  return [text, setText];
}
