import { type ReactNode, useId } from "react";
import { cn } from "./cn";

/** A setting that is on or off, with what that means. */
export function Switch({
  label,
  text,
  on,
  off,
  onChange,
}: {
  label: ReactNode;
  text?: ReactNode;
  on: boolean;
  /** It cannot be turned on here; the text says why. */
  off?: boolean;
  onChange: (on: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="flex items-center gap-4 border-t border-border px-4 py-3.5 phone:px-5">
      <div className="min-w-0 flex-1">
        <div id={id} className="font-medium">
          {label}
        </div>
        {text && <div className="text-13 text-muted">{text}</div>}
      </div>
      <button
        type="button"
        role="switch"
        aria-checked={on}
        aria-labelledby={id}
        disabled={off}
        onClick={() => onChange(!on)}
        className={cn(
          "press relative h-5 w-8.5 shrink-0 rounded-full before:absolute before:-inset-3",
          on ? "bg-primary" : off ? "bg-well" : "bg-control",
        )}
      >
        <span
          className={cn(
            "absolute top-[3px] size-3.5 rounded-full transition-[inset-inline-start]",
            on ? "start-[17px] bg-on-primary" : "start-[3px] bg-raised",
          )}
        />
      </button>
    </div>
  );
}
