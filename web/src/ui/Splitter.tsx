import { useRef } from "react";
import type { Remembered } from "./store";

interface Props {
  label: string;
  width: Remembered<number>;
  min: number;
  max: number;
  /** Which side of the bar the pane is on. */
  pane: "start" | "end";
}

const STEP = 16;

/** A bar between two panes: drawn with the pointer or moved with the arrow keys; double click resets it. */
export function Splitter({ label, width, min, max, pane }: Props) {
  const value = width.use();
  const drag = useRef<{ x: number; width: number }>(undefined);
  const turned = () => (document.dir === "rtl" ? -1 : 1) * (pane === "start" ? 1 : -1);
  const set = (next: number) => width.set(Math.round(Math.min(max, Math.max(min, next))));
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation="vertical"
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { x: event.clientX, width: value };
      }}
      onPointerMove={(event) => {
        if (drag.current) set(drag.current.width + (event.clientX - drag.current.x) * turned());
      }}
      onPointerUp={() => {
        drag.current = undefined;
      }}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
        if (step) set(value + step * turned());
        if (event.key === "Home") set(min);
        if (event.key === "End") set(max);
      }}
      className="relative z-10 -mx-[3px] w-[6px] shrink-0 cursor-col-resize touch-none transition-colors hover:bg-primary/40 focus-visible:bg-focus focus-visible:outline-none"
    />
  );
}
