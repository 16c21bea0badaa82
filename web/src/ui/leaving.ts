import { useEffect } from "react";

/** What is asked before the app goes to another place; `false` keeps the person where they are. */
type Guard = () => boolean;

/** Each with whether it is for a window over the page, which the browser's way back closes on the same page. */
const guards = new Map<Guard, boolean>();

/** Puts a question before each change of page (`over` it: also before each way back), until the function that comes back is called. */
export function guard(ask: Guard, over = false): () => void {
  guards.set(ask, over);
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

/** Whether the app may go to another page, or back on the same one (`samePage`). */
export const mayLeave = (samePage = false): boolean => [...guards].every(([ask, over]) => (samePage && !over) || ask());
