import { left, moment } from "~/i18n/format";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { useNow } from "~/ui/useNow";

const DAY = 24 * 60 * 60_000;
const SOON = 2 * 60 * 60_000;
const ROUND = 2 * Math.PI * 7.5;

/** How long free text is still accepted: a small ring that empties over 24 hours, in words too. */
export function WindowTimer({ endsAt }: { endsAt: string }) {
  const now = useNow();
  const rest = Date.parse(endsAt) - now;
  const soon = rest < SOON;
  const part = Math.max(0, Math.min(1, rest / DAY));
  return (
    <span
      data-testid="window-timer"
      title={rest > 0 ? t("window.until", { at: moment(endsAt) }) : t("window.closedSince", { at: moment(endsAt) })}
      className={cn(
        "inline-flex min-w-0 items-center gap-1.5 font-medium whitespace-nowrap",
        soon ? "text-warning-text" : "text-muted",
      )}
    >
      <svg
        className="shrink-0"
        width="14"
        height="14"
        viewBox="0 0 20 20"
        fill="none"
        strokeWidth="4"
        aria-hidden="true"
      >
        <circle cx="10" cy="10" r="7.5" stroke="var(--well)" />
        {rest > 0 && (
          <circle
            cx="10"
            cy="10"
            r="7.5"
            stroke={soon ? "var(--warning)" : "var(--success)"}
            strokeDasharray={`${part * ROUND} ${ROUND}`}
            transform="rotate(-90 10 10)"
          />
        )}
      </svg>
      <span className="truncate">{rest > 0 ? t("window.left", { left: left(rest) }) : t("window.closed")}</span>
    </span>
  );
}
