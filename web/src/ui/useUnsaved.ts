import { useEffect } from "react";
import { guard, useLeaveWarning } from "./leaving";

/**
 * What every form with typed work has (UX-F8): nobody leaves it unsaved without being asked, neither the page nor the app, and
 * Ctrl/Cmd+S saves, where it can be saved. `over`: the form stands in a window over the page.
 */
export function useUnsaved(dirty: boolean, save?: (() => void) | undefined, over = false): void {
  useLeaveWarning(dirty);
  useEffect(() => (dirty ? guard(over) : undefined), [dirty, over]);
  useEffect(() => {
    if (!dirty || !save) return;
    const key = (event: KeyboardEvent) => {
      if (event.defaultPrevented || !(event.ctrlKey || event.metaKey) || event.key !== "s") return;
      event.preventDefault();
      // Under a window that saves nothing the page does not either.
      if (event.repeat || (!over && document.querySelector('[role="dialog"][data-state="open"]'))) return;
      save();
    };
    // A window is asked first; what it saves, the page below it does not.
    addEventListener("keydown", key, over);
    return () => removeEventListener("keydown", key, over);
  }, [dirty, save, over]);
}
