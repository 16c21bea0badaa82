import { useSyncExternalStore } from "react";

// One clock for the whole page: every relative time moves in the same frame, and there is one timer.
let now = Date.now();
const readers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function tick() {
  now = Date.now();
  for (const reader of readers) reader();
}

function subscribe(reader: () => void): () => void {
  if (readers.size === 0) now = Date.now();
  readers.add(reader);
  timer ??= setInterval(tick, 20_000);
  return () => {
    readers.delete(reader);
    if (readers.size === 0 && timer) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The present, moved on every 20 seconds. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
