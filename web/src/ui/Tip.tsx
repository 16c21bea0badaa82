import { cloneElement, type ReactElement, useEffect, useLayoutEffect, useRef, useState } from "react";

type Side = "top" | "right" | "bottom" | "left";

/** A word beside a control that has only an icon. It repeats the control's name, so a screen reader does not read it again. */
export function Tip({
  text,
  keys,
  side = "top",
  children,
}: {
  text: string;
  keys?: string | undefined;
  side?: Side | undefined;
  children: ReactElement<Record<string, unknown>>;
}) {
  return cloneElement(children, { "data-tip": text, "data-tip-keys": keys, "data-tip-side": side });
}

const WAIT_MS = 400;
const GAP = 6;
const EDGE = 8;

/** Where the tip stands: at its side of the control, or at the other where there is no room, and inside the window. */
function place(tip: HTMLElement, control: DOMRect, side: Side): void {
  const { width, height } = tip.getBoundingClientRect();
  const beside = side === "left" || side === "right";
  const before = beside ? control.left - GAP - width : control.top - GAP - height;
  const after = beside ? control.right + GAP : control.bottom + GAP;
  const most = beside ? innerWidth - EDGE - width : innerHeight - EDGE - height;
  const wished = side === "left" || side === "top" ? before : after;
  const along = wished < EDGE ? after : wished > most ? before : wished;
  const middle = beside ? control.top + (control.height - height) / 2 : control.left + (control.width - width) / 2;
  const across = Math.max(EDGE, Math.min(middle, (beside ? innerHeight - height : innerWidth - width) - EDGE));
  tip.style.left = `${beside ? along : across}px`;
  tip.style.top = `${beside ? across : along}px`;
}

/** Shows the tip of the control that the pointer rests on, or that a key has led to. One for all controls of the app. */
export function Tips() {
  const [control, setControl] = useState<HTMLElement>();
  const tip = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let meant: HTMLElement | undefined;
    const mean = (next: HTMLElement | undefined, wait: number) => {
      if (next === meant) return;
      meant = next;
      clearTimeout(timer);
      setControl(undefined);
      // An open menu says more than its tip.
      if (next) timer = setTimeout(() => next.ariaExpanded !== "true" && setControl(next), wait);
    };
    const tipped = (event: Event) =>
      event.target instanceof Element ? (event.target.closest<HTMLElement>("[data-tip]") ?? undefined) : undefined;
    const over = (event: PointerEvent) => event.pointerType === "mouse" && mean(tipped(event), WAIT_MS);
    const focus = (event: FocusEvent) => {
      const next = tipped(event);
      if (next?.matches(":focus-visible")) mean(next, 0);
    };
    const hide = () => mean(undefined, 0);
    const gone = ["focusout", "pointerdown", "keydown", "scroll"];
    document.addEventListener("pointerover", over);
    document.addEventListener("focusin", focus);
    document.documentElement.addEventListener("pointerleave", hide);
    for (const one of gone) document.addEventListener(one, hide, true);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("pointerover", over);
      document.removeEventListener("focusin", focus);
      document.documentElement.removeEventListener("pointerleave", hide);
      for (const one of gone) document.removeEventListener(one, hide, true);
    };
  }, []);
  useLayoutEffect(() => {
    if (!control || !tip.current) return;
    if (!control.isConnected) return setControl(undefined);
    place(tip.current, control.getBoundingClientRect(), control.dataset.tipSide as Side);
  }, [control]);
  if (!control) return null;
  return (
    <div
      ref={tip}
      aria-hidden="true"
      className="appear pointer-events-none fixed z-50 flex items-center gap-2 rounded-control bg-text px-2.5 py-1.5 text-12 whitespace-nowrap text-background shadow-menu"
    >
      {control.dataset.tip}
      {control.dataset.tipKeys && <kbd className="font-sans opacity-70">{control.dataset.tipKeys}</kbd>}
    </div>
  );
}
