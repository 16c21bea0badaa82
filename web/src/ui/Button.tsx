import { cva, type VariantProps } from "class-variance-authority";
import { Slot } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "./cn";
import { Spinner } from "./Spinner";

const look = cva(
  "press inline-flex shrink-0 items-center justify-center gap-1.5 rounded-control border font-medium whitespace-nowrap select-none disabled:border-transparent disabled:bg-well disabled:text-muted aria-disabled:border-transparent aria-disabled:bg-well aria-disabled:text-muted",
  {
    variants: {
      look: {
        filled: "border-transparent bg-primary text-on-primary hover:bg-primary-hover",
        outlined: "border-control bg-raised text-text hover:bg-hover",
        quiet: "border-transparent text-link hover:bg-hover disabled:bg-transparent",
        plain: "border-transparent text-muted hover:bg-hover hover:text-text disabled:bg-transparent",
        danger: "border-transparent bg-danger text-on-danger hover:opacity-90",
        dangerOutlined: "border-danger bg-raised text-danger hover:bg-danger-tint",
      },
      size: {
        control: "h-9 px-3.5 pointer-coarse:min-h-11",
        dense: "h-8 px-3 text-13 pointer-coarse:min-h-11",
        touch: "h-11 px-4",
      },
    },
    defaultVariants: { look: "outlined", size: "control" },
  },
);

interface Props extends ComponentProps<"button">, VariantProps<typeof look> {
  /** Drawn as its only child (a link, a menu's trigger) instead of as a button. */
  asChild?: boolean;
  icon?: ReactNode;
  /** What it says while it works ("Sending"). It stays where it is and cannot be pressed again. */
  busy?: string | false;
}

export function Button({ asChild, look: variant, size, icon, busy, className, children, ...rest }: Props) {
  const classes = cn(look({ look: variant, size }), className);
  if (asChild)
    return (
      <Slot.Root className={classes} {...rest}>
        {children}
      </Slot.Root>
    );
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || !!busy}
      aria-busy={!!busy || undefined}
      className={classes}
    >
      {busy ? <Spinner /> : icon}
      {busy || children}
    </button>
  );
}
