import { number } from "~/i18n/format";
import { cn } from "./cn";

/** A count in a pill. Above `most` it says so ("99+"). */
export function Count({
  n,
  most = 999,
  look = "primary",
  className,
}: {
  n: number;
  most?: number;
  look?: "primary" | "ember";
  className?: string;
}) {
  return (
    <span
      className={cn(
        "h-4.5 min-w-4.5 shrink-0 rounded-full px-1.25 text-center text-11 leading-4.5 font-strong tabular-nums",
        look === "primary" ? "bg-primary text-on-primary" : "bg-ember-fill text-on-ember",
        className,
      )}
    >
      {n > most ? `${number(most)}+` : number(n)}
    </span>
  );
}
