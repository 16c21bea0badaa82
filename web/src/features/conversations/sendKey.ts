import type { KeyboardEvent } from "react";
import { useNarrow } from "~/ui/useNarrow";
import { enterSends } from "./settings";

/** Whether a key sends. On a phone Enter breaks the line: there is no Shift to hold. */
export function useSendKey(): (event: KeyboardEvent) => boolean {
  const phone = useNarrow();
  const enter = enterSends.use() && !phone;
  return ({ key, shiftKey, ctrlKey, metaKey }) => key === "Enter" && !shiftKey && (ctrlKey || metaKey) !== enter;
}
