import { TriangleAlert } from "lucide-react";
import { Link } from "react-router";
import type { Instance } from "~/api/types";
import { isCutOff } from "~/features/instances/state";
import { t } from "~/i18n/t";

/** Whether a number does not work although nobody has asked it to rest. */
export const isDown = ({ state }: Instance): boolean =>
  state === "attention" || state === "disconnected" || state === "banned";

/** Over the inbox, for who can mend it: the numbers that are not connected. */
export function NumbersDown({ numbers }: { numbers: Instance[] }) {
  return (
    <div className="max-h-28 shrink-0 overflow-y-auto bg-warning-tint text-13 text-warning-text empty:hidden">
      {numbers.filter(isDown).map((one) => {
        const { id, name, provider } = one;
        // Linking anew mends nothing where the gateway is gone, and Meta has no phone.
        const there = provider === "cloud" ? `?connection=${id}` : isCutOff(one) ? "" : `?link=${id}`;
        return (
          <p key={id} role="status" data-testid="number-banner" className="flex items-start gap-2.5 px-4 py-2">
            <TriangleAlert size={16} className="mt-px shrink-0" aria-hidden />
            <span className="min-w-0 flex-1">{t("thread.numberDown", { name })}</span>
            <Link to={`/instances${there}`} className="shrink-0 font-strong underline underline-offset-3">
              {t(there.startsWith("?link") ? "number.linkAgain" : "empty.toNumbers")}
            </Link>
          </p>
        );
      })}
    </div>
  );
}

/** Over a thread, for everybody else: what is written waits. */
export const NumberDown = ({ name }: { name: string }) => (
  <p
    data-testid="number-banner"
    className="flex shrink-0 items-start gap-2.5 border-b border-border bg-surface px-4 py-2 text-13 text-muted"
  >
    <TriangleAlert size={16} className="mt-px shrink-0" aria-hidden />
    {t("thread.numberDown", { name })}
  </p>
);
