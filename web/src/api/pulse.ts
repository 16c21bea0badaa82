import { useSyncExternalStore } from "react";

// A server that hangs keeps its connections open, and the browser's pings are its own: only an answer that does not come tells.

/** An answer is late after this; then a question that costs nothing is asked, with this much time for it. */
const LATE = 3_500;
const PATIENCE = 3_000;

let silent = false;
let asking = false;
const readers = new Set<() => void>();
const subscribe = (reader: () => void) => {
  readers.add(reader);
  return () => void readers.delete(reader);
};

/** Whether the server has stopped answering. */
export const useSilent = (): boolean => useSyncExternalStore(subscribe, () => silent);

function put(next: boolean): void {
  if (next === silent) return;
  silent = next;
  for (const reader of readers) reader();
}

const answers = (): Promise<boolean> =>
  fetch("/api/health/live", { signal: AbortSignal.timeout(PATIENCE), cache: "no-store" }).then(
    () => true,
    () => false,
  );

/** Asks until there is an answer. */
async function ask(): Promise<void> {
  if (asking) return;
  asking = true;
  while (!(await answers())) {
    put(true);
    await new Promise((done) => setTimeout(done, PATIENCE));
  }
  asking = false;
  put(false);
}

/** Waits along with a request that the server answers by itself. */
export async function timed<T>(request: Promise<T>): Promise<T> {
  const timer = setTimeout(() => void ask(), LATE);
  try {
    return await request;
  } finally {
    clearTimeout(timer);
  }
}
