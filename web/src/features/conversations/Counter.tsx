import { number } from "~/i18n/format";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";

interface Props {
  count: number;
  limit: number;
  /** From here on it is long for a chat: said, not forbidden. */
  long?: number | undefined;
  /** The colour of what is still well. */
  tone?: string;
}

/** How much of the limit is used, once that matters. */
export function Counter({ count, limit, long = limit, tone = "text-muted" }: Props) {
  if (count <= limit * 0.8 && count <= long) return null;
  const of = { n: number(count), limit: number(limit) };
  const over = count - limit;
  return (
    <span className={cn("text-12 tabular-nums", over > 0 ? "font-medium text-danger" : tone)} aria-live="polite">
      {over > 0 ? t("composer.over", { n: over }) : t(count > long ? "composer.long" : "composer.count", of)}
    </span>
  );
}
