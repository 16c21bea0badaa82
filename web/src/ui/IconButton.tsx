import type { ComponentProps, ReactNode } from "react";
import { cn } from "./cn";
import { Tip } from "./Tip";

interface Props extends Omit<ComponentProps<"button">, "children"> {
  /** Its name, for the tip and for screen readers. */
  label: string;
  icon: ReactNode;
  /** The key that does the same. */
  keys?: string;
  edge?: boolean;
  /** False: no tip. In a dialog it would lie on top and take the Escape that is meant for the dialog. */
  tip?: "top" | "right" | "bottom" | false;
}

/** A square button of a toolbar: an icon, a name and a tip. */
export function IconButton({ label, icon, keys, edge, tip, className, ...rest }: Props) {
  const button = (
    <button
      type="button"
      aria-label={label}
      {...rest}
      className={cn(
        "press inline-grid size-8 shrink-0 place-items-center rounded-control text-muted hover:bg-hover hover:text-text disabled:opacity-50 aria-pressed:bg-primary-tint aria-pressed:text-link data-[state=open]:bg-hover data-[state=open]:text-text pointer-coarse:size-11",
        edge && "border border-control",
        className,
      )}
    >
      {icon}
    </button>
  );
  if (tip === false) return button;
  return (
    <Tip text={label} keys={keys} side={tip}>
      {button}
    </Tip>
  );
}
