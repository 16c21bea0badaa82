import { Tooltip } from "radix-ui";
import type { ReactElement, ReactNode } from "react";

export const TipProvider = Tooltip.Provider;

/** A word beside a control that has only an icon. It repeats the control's name, so a screen reader does not read it again. */
export function Tip({
  text,
  keys,
  side = "top",
  children,
}: {
  text: ReactNode;
  keys?: string | undefined;
  side?: "top" | "right" | "bottom" | "left" | undefined;
  children: ReactElement;
}) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content
          side={side}
          sideOffset={6}
          aria-hidden
          className="appear z-50 flex items-center gap-2 rounded-control bg-text px-2.5 py-1.5 text-12 text-background shadow-menu"
        >
          {text}
          {keys && <kbd className="font-sans opacity-70">{keys}</kbd>}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
