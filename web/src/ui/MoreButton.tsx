import { Ellipsis } from "lucide-react";
import type { ComponentProps } from "react";
import { cn } from "./cn";

/** Three dots, and more behind them. */
export function MoreButton({ label, className, ...rest }: { label: string } & ComponentProps<"button">) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={cn(
        "press grid size-7 place-items-center rounded-full text-muted hover:bg-hover hover:text-text pointer-coarse:size-11",
        className,
      )}
    >
      <Ellipsis size={16} aria-hidden />
    </button>
  );
}
