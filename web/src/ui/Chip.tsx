import type { ReactNode } from "react";
import { cn } from "./cn";

const looks = {
  plain: "bg-well text-text",
  label: "text-muted shadow-[inset_0_0_0_1px_var(--border)]",
  primary: "bg-primary-tint text-link",
  good: "bg-success-tint text-success",
  warning: "bg-warning-tint text-warning-text",
  bad: "bg-danger-tint text-danger",
  info: "bg-info-tint text-info",
  hot: "bg-ember-tint text-ember",
};

export type ChipLook = keyof typeof looks;

/** A tint and a word; an icon when it is a state. `small` in list rows. */
export function Chip({
  look = "plain",
  small,
  icon,
  children,
  title,
}: {
  look?: ChipLook;
  small?: boolean;
  icon?: ReactNode;
  children: ReactNode;
  title?: string;
}) {
  return (
    <span
      title={title}
      className={cn(
        "inline-flex shrink-0 items-center gap-1 rounded-full font-medium whitespace-nowrap [&_svg]:size-3.5 [&_svg]:shrink-0",
        small ? "h-4.5 px-1.5 text-11" : "h-5 px-2 text-12",
        looks[look],
      )}
    >
      {icon}
      {children}
    </span>
  );
}
