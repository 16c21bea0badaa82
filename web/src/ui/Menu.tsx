import { Check, ChevronRight } from "lucide-react";
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

/** A menu at a place on the page: where a finger rested. It is open as long as it is there. */
export function MenuAt({
  at,
  label,
  onClose,
  children,
  testId,
}: {
  at: { x: number; y: number };
  label: string;
  onClose: () => void;
  children: ReactNode;
  testId?: string;
}) {
  return (
    <Radix.Root open modal={false} onOpenChange={(open) => !open && onClose()}>
      <Radix.Trigger asChild>
        <span
          aria-hidden="true"
          tabIndex={-1}
          className="pointer-events-none fixed size-0"
          style={{ left: at.x, top: at.y }}
        />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align="start"
          sideOffset={6}
          collisionPadding={8}
          aria-label={label}
          data-testid={testId}
          className="appear z-50 max-w-72 min-w-48 rounded-card border border-border bg-raised p-1 shadow-menu"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A menu inside the menu: its name, what is chosen there, and the choices. */
export function MenuMore({
  icon,
  name,
  value,
  children,
}: {
  icon?: ReactNode;
  name: ReactNode;
  value?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Radix.Sub>
      <Radix.SubTrigger className={cn(item, "data-[state=open]:bg-hover")}>
        {icon && <span className="flex text-muted">{icon}</span>}
        <span className="flex-1">{name}</span>
        {value && <span className="text-12 text-muted">{value}</span>}
        <ChevronRight aria-hidden className="text-muted rtl:-scale-x-100" />
      </Radix.SubTrigger>
      <Radix.Portal>
        <Radix.SubContent
          collisionPadding={8}
          sideOffset={4}
          className="appear z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-40 overflow-y-auto rounded-card border border-border bg-raised p-1 shadow-menu"
        >
          {children}
        </Radix.SubContent>
      </Radix.Portal>
    </Radix.Sub>
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
