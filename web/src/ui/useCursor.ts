import { type RefObject, useState } from "react";

/** The item that the arrow keys stand on, of a list whose items carry `data-at`. What they move to comes into sight. */
export function useCursor(list: RefObject<HTMLElement | null>, length: number) {
  const [at, set] = useState(0);
  const move = (step: number) => {
    const next = Math.min(length - 1, Math.max(0, at + step));
    set(next);
    list.current?.querySelector(`[data-at="${next}"]`)?.scrollIntoView({ block: "nearest" });
  };
  return { at, set, move };
}
