import type { ReactNode } from "react";
import { cn } from "./cn";

/** A choice between two or three, side by side. */
export function Seg<V extends string>({
  label,
  value,
  options,
  onChange,
  className,
}: {
  label: string;
  value: V;
  options: { value: V; text: ReactNode; icon?: ReactNode }[];
  onChange: (value: V) => void;
  className?: string;
}) {
  return (
    <div
      role="radiogroup"
      aria-label={label}
      className={cn("inline-flex max-w-full flex-wrap gap-0.5 rounded-control bg-well p-[3px]", className)}
    >
      {options.map((option) => {
        const chosen = option.value === value;
        return (
          <button
            key={option.value}
            type="button"
            role="radio"
            aria-checked={chosen}
            tabIndex={chosen ? 0 : -1}
            onClick={() => onChange(option.value)}
            onKeyDown={(event) => {
              const onward = document.dir === "rtl" ? -1 : 1;
              const step = { ArrowRight: onward, ArrowDown: 1, ArrowLeft: -onward, ArrowUp: -1 }[event.key];
              if (!step) return;
              event.preventDefault();
              const at = options.findIndex((one) => one.value === value);
              const next = options[(at + step + options.length) % options.length];
              if (next) onChange(next.value);
              const buttons = event.currentTarget.parentElement?.querySelectorAll("button");
              buttons?.[(at + step + options.length) % options.length]?.focus();
            }}
            className={cn(
              "press flex min-h-[30px] flex-1 items-center justify-center gap-1.5 rounded-[6px] px-3 text-13 font-medium phone:whitespace-nowrap pointer-coarse:min-h-10",
              chosen ? "bg-thumb text-text shadow-card" : "text-muted hover:text-text",
            )}
          >
            {option.icon}
            {option.text}
          </button>
        );
      })}
    </div>
  );
}
