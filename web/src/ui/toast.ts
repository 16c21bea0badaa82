import { useSyncExternalStore } from "react";

interface Options {
  /** Takes the place of what was said under the same name. */
  id?: string;
  action?: { label: string; onClick: () => void };
}

let used = false;
const readers = new Set<() => void>();
const subscribe = (reader: () => void) => {
  readers.add(reader);
  return () => void readers.delete(reader);
};

/** Whether there has been anything to say yet: until then nothing that says it is needed. */
export const useToasted = (): boolean => useSyncExternalStore(subscribe, () => used);

async function say(how: "message" | "success" | "error", text: string, options?: Options): Promise<void> {
  used = true;
  for (const reader of readers) reader();
  (await import("sonner")).toast[how](text, options);
}

/** Says a result that happens out of sight. `Toasts` shows it. */
export const toast = Object.assign((text: string) => void say("message", text), {
  success: (text: string, options?: Options) => void say("success", text, options),
  error: (text: string) => void say("error", text),
});
