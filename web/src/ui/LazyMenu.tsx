import { DropdownMenu as Radix } from "radix-ui";
import { type ReactNode, type Ref, useImperativeHandle, useRef, useState } from "react";
import { cn } from "./cn";

/**
 * A menu that costs nothing until it is asked for: in a thread each bubble has one. The button stays the same element,
 * so that focus can go back to it.
 */
export function LazyMenu({
  label,
  icon,
  className,
  children,
  testId,
  opener,
}: {
  label: string;
  icon: ReactNode;
  className?: string;
  children: () => ReactNode;
  testId?: string;
  /** Opens it from elsewhere: a long touch on what it is about. */
  opener?: Ref<() => void>;
}) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useImperativeHandle(opener, () => () => setOpen(true));
  return (
    <span className="relative inline-flex">
      <button
        ref={button}
        type="button"
        data-testid={testId}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(true)}
        className={cn(
          "press grid size-7 place-items-center rounded-full text-muted hover:bg-hover hover:text-text pointer-coarse:size-11",
          className,
        )}
      >
        {icon}
      </button>
      {open && (
        <Radix.Root open modal={false} onOpenChange={setOpen}>
          <Radix.Trigger asChild>
            <span aria-hidden="true" tabIndex={-1} className="pointer-events-none absolute inset-0" />
          </Radix.Trigger>
          <Radix.Portal>
            <Radix.Content
              aria-label={label}
              collisionPadding={8}
              sideOffset={4}
              onCloseAutoFocus={(event) => {
                event.preventDefault();
                button.current?.focus();
              }}
              className="appear z-50 min-w-48 rounded-card border border-border bg-raised p-1 shadow-menu"
            >
              {children()}
            </Radix.Content>
          </Radix.Portal>
        </Radix.Root>
      )}
    </span>
  );
}
