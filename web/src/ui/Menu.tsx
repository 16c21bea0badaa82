import { Check, ChevronRight } from "lucide-react";
import {
  cloneElement,
  createContext,
  type MouseEvent,
  type ReactElement,
  type ReactNode,
  type Ref,
  type RefObject,
  useContext,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { createPortal } from "react-dom";
import { cn } from "./cn";
import { part } from "./part";

// Set before the first menu is drawn: all that stands below is drawn inside one.
let Radix: typeof import("./menuParts")["Parts"];

/** Fetches what draws menus, so that the first one opens at once. */
export const fetchMenus = async (): Promise<void> => {
  Radix = (await import("./menuParts")).Parts;
};

const card =
  "appear z-50 max-h-(--radix-dropdown-menu-content-available-height) overflow-y-auto rounded-card border border-border bg-raised p-1 shadow-menu";
const item =
  "flex min-h-9 w-full cursor-default items-center gap-2.5 rounded-control px-2.5 py-1.5 text-13 outline-none select-none data-highlighted:bg-hover data-disabled:text-muted pointer-coarse:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0";

/** Gives the focus back to what the menu hangs from. */
const GoBack = createContext(() => {});

interface Hanging {
  /** What it hangs from, and what gets the focus back. */
  from: RefObject<HTMLElement | null> | { x: number; y: number };
  label: string;
  onClose: () => void;
  children: ReactNode;
  align?: "start" | "end";
  side?: "bottom" | "top" | "right";
  className?: string;
  testId?: string | undefined;
  /** Opened by a key: its first item has the focus. */
  byKey?: boolean;
}

/**
 * The open menu. The library wants its trigger to be one of its own parts; ours is drawn before the library is here, so an
 * invisible box lies over it and follows it.
 */
function Hung({ from, label, onClose, children, align = "end", side = "bottom", className, testId, byKey }: Hanging) {
  const box = useRef<HTMLSpanElement>(null);
  const entering = useRef(byKey);
  const trigger = "current" in from ? from : undefined;
  useLayoutEffect(() => {
    const place = () => {
      const at = "current" in from ? from.current?.getBoundingClientRect() : new DOMRect(from.x, from.y);
      if (!box.current || !at) return;
      Object.assign(box.current.style, {
        left: `${at.x}px`,
        top: `${at.y}px`,
        width: `${at.width}px`,
        height: `${at.height}px`,
      });
    };
    place();
    addEventListener("scroll", place, { capture: true, passive: true });
    addEventListener("resize", place);
    return () => {
      removeEventListener("scroll", place, { capture: true });
      removeEventListener("resize", place);
    };
  }, [from]);
  const goBack = () => trigger?.current?.focus();
  // Unless what was chosen has taken the focus.
  const close = () => {
    if (document.activeElement?.closest('[role="menu"]')) goBack();
    onClose();
  };
  return (
    <Radix.Root open modal={false} onOpenChange={close}>
      {createPortal(
        <Radix.Trigger asChild>
          <span ref={box} aria-hidden="true" tabIndex={-1} className="pointer-events-none fixed" />
        </Radix.Trigger>,
        document.body,
      )}
      <Radix.Portal>
        <Radix.Content
          align={align}
          side={side}
          sideOffset={6}
          collisionPadding={8}
          aria-label={label}
          data-testid={testId}
          // The press that closes it is the trigger's own.
          onInteractOutside={(event) => {
            if (trigger?.current?.contains(event.target as Node)) event.preventDefault();
          }}
          onFocus={(event) => {
            if (!entering.current || event.target !== event.currentTarget) return;
            entering.current = false;
            event.currentTarget.querySelector<HTMLElement>('[role^="menuitem"]:not([data-disabled])')?.focus();
          }}
          onCloseAutoFocus={(event) => event.preventDefault()}
          className={cn(card, "min-w-48", className)}
        >
          <GoBack value={goBack}>{children}</GoBack>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

const Menus = part(async () => {
  await fetchMenus();
  return { default: Hung };
});

export interface TriggerProps {
  ref?: Ref<HTMLElement>;
  onClick?: (event: MouseEvent) => void;
  [name: string]: unknown;
}

/** A menu that hangs from its trigger. Until it is opened it is the trigger alone: in a thread each bubble has one. */
export function Menu({
  trigger,
  children,
  opener,
  ...rest
}: {
  trigger: ReactElement<TriggerProps>;
  /** A function, where there are many triggers on the page. */
  children: ReactNode | (() => ReactNode);
  align?: "start" | "end";
  side?: "bottom" | "top" | "right";
  label: string;
  /** Opens it from elsewhere: a long touch on what it is about. */
  opener?: Ref<() => void> | undefined;
}) {
  const [open, setOpen] = useState<"key" | "pointer">();
  const button = useRef<HTMLElement>(null);
  useImperativeHandle(opener, () => () => setOpen("pointer"));
  return (
    <>
      {cloneElement(trigger, {
        ref: button,
        "aria-haspopup": "menu",
        "aria-expanded": !!open,
        "data-state": open ? "open" : "closed",
        onPointerEnter: () => fetchMenus().catch(() => undefined),
        // A click without a pointer is a key on the button.
        onClick: (event: MouseEvent) => setOpen(open ? undefined : event.detail === 0 ? "key" : "pointer"),
        onKeyDown: (event: React.KeyboardEvent) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          setOpen("key");
        },
      })}
      {open && (
        <Menus from={button} byKey={open === "key"} onClose={() => setOpen(undefined)} {...rest}>
          {typeof children === "function" ? children() : children}
        </Menus>
      )}
    </>
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
  const goBack = useContext(GoBack);
  return (
    <Radix.Item
      className={cn(item, danger && "text-danger")}
      // First: a dialog that opens now gives the focus back to where it was, and this item will be gone.
      onSelect={() => {
        goBack();
        onSelect();
      }}
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
  stays,
  disabled,
}: {
  chosen: boolean;
  children: ReactNode;
  onSelect: () => void;
  icon?: ReactNode;
  /** The menu stays open: more than one may be chosen. */
  stays?: boolean;
  disabled?: boolean;
}) {
  return (
    <Radix.CheckboxItem
      checked={chosen}
      disabled={disabled}
      onSelect={(event) => {
        if (stays) event.preventDefault();
        onSelect();
      }}
      className={item}
    >
      {icon && <span className="flex text-muted">{icon}</span>}
      <span className="flex-1">{children}</span>
      <span className="flex size-4 text-link">{chosen && <Check aria-hidden />}</span>
    </Radix.CheckboxItem>
  );
}

/** A menu at a place on the page: where a finger rested. It is open as long as it is there. */
export function MenuAt({
  at,
  ...rest
}: {
  at: { x: number; y: number };
  label: string;
  onClose: () => void;
  children: ReactNode;
  testId?: string;
}) {
  return <Menus from={at} align="start" className="max-w-72" {...rest} />;
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
        <Radix.SubContent collisionPadding={8} sideOffset={4} className={cn(card, "min-w-40")}>
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
