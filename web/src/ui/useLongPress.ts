import { type MouseEvent, type PointerEvent, type TouchEvent, useEffect, useRef } from "react";

/** How long a finger rests before it means "what can I do with this?". */
const LONG = 450;
/** A finger that moves further than this scrolls. */
const SLOP = 10;

/**
 * Handlers for an element on which a long touch opens a menu. A mouse has buttons for that, and keeps its own menu.
 * The click that follows the touch is swallowed: the row under the finger must not open, too.
 */
export function useLongPress(act: ((at: { x: number; y: number }) => void) | undefined) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const from = useRef<{ x: number; y: number }>(undefined);
  const fired = useRef(false);
  const stop = () => {
    clearTimeout(timer.current);
    from.current = undefined;
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  if (!act) return {};
  return {
    onPointerDown: (event: PointerEvent) => {
      stop();
      fired.current = false;
      if (event.pointerType === "mouse" || !event.isPrimary) return;
      const at = { x: event.clientX, y: event.clientY };
      from.current = at;
      timer.current = setTimeout(() => {
        fired.current = true;
        navigator.vibrate?.(10);
        act(at);
      }, LONG);
    },
    onPointerMove: (event: PointerEvent) => {
      const at = from.current;
      if (at && Math.hypot(event.clientX - at.x, event.clientY - at.y) > SLOP) stop();
    },
    onPointerUp: stop,
    // Without this the browser plays a mouse where the finger was: the menu would lose the focus, and close.
    onTouchEnd: (event: TouchEvent) => {
      if (fired.current && event.cancelable) event.preventDefault();
    },
    onPointerCancel: stop,
    onContextMenu: (event: MouseEvent) => {
      // The browser's own menu for a long touch.
      if (from.current || fired.current) event.preventDefault();
    },
    onClickCapture: (event: MouseEvent) => {
      if (!fired.current) return;
      fired.current = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
