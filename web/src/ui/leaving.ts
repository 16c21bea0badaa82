import { useEffect } from "react";
import { t } from "~/i18n/t";

/** What would be lost when the app goes to another place; those in a window over the page (`over`) also when the browser goes back on it. */
const unsaved = new Set<{ over: boolean }>();

/** Has the person asked before each change of page (`over` it: also before each way back), until the function that comes back is called. */
export function guard(over = false): () => void {
  const one = { over };
  unsaved.add(one);
  return () => void unsaved.delete(one);
}

/** Nobody is asked about what is there now: it cannot be kept. */
export const letGo = (): void => unsaved.clear();

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
export const mayLeave = (samePage = false): boolean =>
  ![...unsaved].some(({ over }) => over || !samePage) || window.confirm(t("form.leave"));
