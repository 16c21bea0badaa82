import { useEffect } from "react";

/** What is asked before the app goes to another page; `false` keeps the person where they are. */
type Guard = () => boolean;

const guards = new Set<Guard>();

/** Puts a question before each change of page, until the function that comes back is called. */
export function guard(ask: Guard): () => void {
  guards.add(ask);
  return () => void guards.delete(ask);
}

/** The browser asks before the page is left, as long as `on`: something would be lost. */
export function useLeaveWarning(on: boolean): void {
  useEffect(() => {
    if (!on) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [on]);
}

export const mayLeave = (): boolean => [...guards].every((ask) => ask());
