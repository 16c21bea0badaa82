import { useSyncExternalStore } from "react";
import type { Frame } from "~/api/live";

/** Who stopped typing does not always say so. */
const FORGET_MS = 12_000;

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
