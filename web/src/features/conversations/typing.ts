import { useEffect, useRef, useSyncExternalStore } from "react";
import type { Frame } from "~/api/live";

/** Who stopped typing does not always say so. */
const FORGET_MS = 12_000;

/** Without a key for so long nobody types any more. */
const PAUSE_MS = 5_000;

const writing = new Map<string, ReturnType<typeof setTimeout>>();
const readers = new Set<() => void>();

function stop(id: string): void {
  clearTimeout(writing.get(id));
  if (writing.delete(id)) for (const reader of readers) reader();
}

/** A customer started or stopped writing. Not an event: it has no number and is not kept. */
export function applyTyping(frame: Frame): void {
  const id = frame.ids?.conversation;
  if (!id) return;
  const on = frame.patch?.on === true;
  stop(id);
  if (!on) return;
  writing.set(
    id,
    setTimeout(() => stop(id), FORGET_MS),
  );
  for (const reader of readers) reader();
}

const subscribe = (reader: () => void) => {
  readers.add(reader);
  return () => void readers.delete(reader);
};

export const useTyping = (conversation: string): boolean =>
  useSyncExternalStore(subscribe, () => writing.has(conversation));

/** Tells the customer that somebody writes to them: `key` at each key, `end` when it is sent. */
export function useTellTyping(onTyping: (on: boolean) => void) {
  const pause = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(pause.current), []);
  const end = () => {
    clearTimeout(pause.current);
    pause.current = undefined;
  };
  const key = () => {
    if (!pause.current) onTyping(true);
    end();
    pause.current = setTimeout(() => {
      end();
      onTyping(false);
    }, PAUSE_MS);
  };
  return { key, end };
}
