import { useEffect, useRef } from "react";

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** A dialog or a menu is open, or on its way (`data-covers`): keys belong to it. */
const covered = (): boolean =>
  !!document.querySelector('[role="dialog"][data-state="open"],[role="menu"][data-state="open"],[data-covers]');

/** The name of a key as the table writes it: "j", "Shift+E", "?". */
function nameOf(event: KeyboardEvent): string {
  if (event.key.length > 1) return event.key;
  return event.shiftKey && /^[A-Z]$/.test(event.key) ? `Shift+${event.key}` : event.key.toLowerCase();
}

/** Single keys, outside of fields, menus and dialogs. */
export function useKeys(table: Record<string, () => void>): void {
  const latest = useRef(table);
  latest.current = table;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (typing(event.target) || covered()) return;
      const act = latest.current[nameOf(event)];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

/** Keys pressed one after the other: "g" then "c". */
export function useSequence(first: string, table: Record<string, () => void>): void {
  // When the first key was pressed, not when a busy page came round to it.
  const armed = useRef<number>(undefined);
  const entries = Object.fromEntries(
    Object.entries(table).map(([key, act]) => [
      key,
      () => {
        armed.current = undefined;
        act();
      },
    ]),
  );
  const latest = useRef(entries);
  latest.current = entries;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || covered()) return;
      const key = nameOf(event);
      if (armed.current !== undefined && event.timeStamp - armed.current < 1500 && latest.current[key]) {
        event.preventDefault();
        event.stopImmediatePropagation();
        latest.current[key]?.();
      } else armed.current = key === first ? event.timeStamp : undefined;
    };
    document.addEventListener("keydown", press, true);
    return () => document.removeEventListener("keydown", press, true);
  }, [first]);
}
