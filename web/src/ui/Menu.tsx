import { Check } from "lucide-react";
import { DropdownMenu as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { cn } from "./cn";

const item =
  "flex min-h-9 w-full cursor-default items-center gap-2.5 rounded-control px-2.5 py-1.5 text-13 outline-none select-none data-highlighted:bg-hover data-disabled:text-muted pointer-coarse:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0";

/** A menu that hangs from its trigger. */
export function Menu({
  trigger,
  children,
  align = "end",
  side = "bottom",
  label,
  onOpenChange,
}: {
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "end";
  side?: "bottom" | "top" | "right";
  label?: string;
  onOpenChange?: (open: boolean) => void;
}) {
  return (
    <Radix.Root modal={false} {...(onOpenChange ? { onOpenChange } : {})}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          side={side}
          sideOffset={6}
          collisionPadding={8}
          aria-label={label}
          className="appear z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-48 overflow-y-auto rounded-card border border-border bg-raised p-1 shadow-menu"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function MenuItem({
  icon,
  keys,
  danger,
  children,
  onSelect,
  disabled,
  testId,
}: {
  icon?: ReactNode;
  keys?: string;
  danger?: boolean;
  children: ReactNode;
  onSelect: () => void;
  disabled?: boolean;
  testId?: string;
}) {
  return (
    <Radix.Item
      className={cn(item, danger && "text-danger")}
      onSelect={onSelect}
      disabled={disabled}
      data-testid={testId}
    >
      {icon && <span className={cn("flex", !danger && "text-muted")}>{icon}</span>}
      <span className="flex-1">{children}</span>
      {keys && <kbd className="font-sans text-12 text-muted">{keys}</kbd>}
    </Radix.Item>
  );
}

/** One of several choices; the chosen one carries a check. */
export function MenuChoice({
  chosen,
  children,
  onSelect,
  icon,
}: {
  chosen: boolean;
  children: ReactNode;
  onSelect: () => void;
  icon?: ReactNode;
}) {
  return (
    <Radix.CheckboxItem checked={chosen} onSelect={onSelect} className={item}>
      {icon && <span className="flex text-muted">{icon}</span>}
      <span className="flex-1">{children}</span>
      <span className="flex size-4 text-link">{chosen && <Check aria-hidden />}</span>
    </Radix.CheckboxItem>
  );
}

export const MenuSeparator = () => <Radix.Separator className="mx-1 my-1 h-px bg-border" />;

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="px-2.5 pt-2 pb-1 text-12 text-muted">{children}</Radix.Label>;
}

/** A small square item; several stand in a row. */
export function MenuTile({ label, children, onSelect }: { label: string; children: ReactNode; onSelect: () => void }) {
  return (
    <Radix.Item
      aria-label={label}
      onSelect={onSelect}
      className="grid size-8 cursor-default place-items-center rounded-control text-18 outline-none data-highlighted:bg-hover pointer-coarse:size-11"
    >
      {children}
    </Radix.Item>
  );
}
