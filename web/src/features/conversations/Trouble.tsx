import { Check, RotateCcw, Trash2, X } from "lucide-react";
import { failure } from "~/api/problem";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { Menu, MenuItem } from "~/ui/Menu";
import { MoreButton } from "~/ui/MoreButton";
import type { BubbleActions } from "./MessageMenu";
import type { Said } from "./thread";

/** Below a bubble whose message failed, or of which we do not know: the reason, one action, and the rest. */
export function Trouble({
  entry,
  onAct,
  onEdit,
  onDrop,
}: { entry: Said } & Pick<BubbleActions, "onAct" | "onEdit" | "onDrop">) {
  const { message, outgoing } = entry;
  const local = outgoing?.is === "refused";
  const unknown = message.state === "unknown";
  if (!local && !unknown && message.state !== "failed") return null;
  const reason = unknown
    ? t("message.unknownReason")
    : (message.error && failure(message.error)) || t("message.failedReason");
  return (
    <div
      data-testid="trouble"
      className={cn(
        "flex max-w-[min(84%,460px)] flex-wrap items-center justify-end gap-x-1.5 self-end text-12",
        unknown ? "text-warning-text" : "text-danger",
      )}
    >
      <span className="text-end">{reason}</span>
      {onAct && (
        <button
          type="button"
          onClick={() => onAct(unknown ? "check" : "resend", entry)}
          className="font-strong underline underline-offset-3 pointer-coarse:min-h-11"
        >
          {t(unknown ? "message.check" : "message.tryAgain")}
        </button>
      )}
      {onAct && (
        <Menu label={t("message.more")} trigger={<MoreButton label={t("message.more")} className="size-6" />}>
          {() => (
            <>
              {unknown && (
                <>
                  <MenuItem icon={<Check aria-hidden />} onSelect={() => onAct("mark-sent", entry)}>
                    {t("message.markSent")}
                  </MenuItem>
                  <MenuItem icon={<RotateCcw aria-hidden />} onSelect={() => onAct("resend", entry)}>
                    {t("message.sendAgain")}
                  </MenuItem>
                </>
              )}
              {!unknown && message.kind === "text" && onEdit && (
                <MenuItem icon={<RotateCcw aria-hidden />} onSelect={() => onEdit(entry)}>
                  {t("message.editResend")}
                </MenuItem>
              )}
              {local && onDrop ? (
                <MenuItem icon={<Trash2 aria-hidden />} danger onSelect={() => onDrop(entry)}>
                  {t("message.delete")}
                </MenuItem>
              ) : (
                <MenuItem icon={<X aria-hidden />} onSelect={() => onAct("cancel", entry)}>
                  {t("message.giveUp")}
                </MenuItem>
              )}
            </>
          )}
        </Menu>
      )}
    </div>
  );
}
