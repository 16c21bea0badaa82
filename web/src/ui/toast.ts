import { useSyncExternalStore } from "react";

interface Options {
  /** Takes the place of what was said under the same name. */
  id?: string;
  action?: { label: string; onClick: () => void };
  /** Milliseconds, where five seconds are too short. */
  duration?: number;
}

let said = 0;
const readers = new Set<() => void>();
const subscribe = (reader: () => void) => {
  readers.add(reader);
  return () => void readers.delete(reader);
};

/** How much there has been to say yet: until then nothing that says it is needed. */
export const useToasted = (): number => useSyncExternalStore(subscribe, () => said);

async function say(how: "message" | "success" | "error", text: string, options?: Options): Promise<void> {
  said += 1;
  for (const reader of readers) reader();
  try {
    (await import("sonner")).toast[how](text, options);
  } catch {
    // What says it could not be fetched. What it was about stands.
  }
}

/** Says a result that happens out of sight. `Toasts` shows it. */
export const toast = Object.assign((text: string) => void say("message", text), {
  success: (text: string, options?: Options) => void say("success", text, options),
  // Longer: it says why, and what to do.
  error: (text: string) => void say("error", text, { duration: 10_000 }),
});
