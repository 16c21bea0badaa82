import { Check, CloudOff, RefreshCw } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useSilent } from "~/api/pulse";
import { useWaiting } from "~/features/conversations/outbox";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { reconnectNow, useLiveStatus } from "./live";

/** A short break is healed before anybody reads a banner. */
const PATIENCE = 2_500;

/** Offline, reconnecting with the seconds to the next try, a server that hangs, back online; and what waits to be sent. */
export function ConnectionBanner() {
  const status = useLiveStatus();
  const waiting = useWaiting();
  const [shown, show] = useState<"nothing" | "trouble" | "back">("nothing");
  const [now, setNow] = useState(Date.now());
  const silent = useSilent();
  const open = status.is === "open" && !silent;
  const offline = status.is === "offline";
  const was = useRef(shown);
  was.current = shown;

  useEffect(() => {
    if (open) {
      if (was.current !== "trouble") return;
      show("back");
      const timer = setTimeout(() => show("nothing"), 3_000);
      return () => clearTimeout(timer);
    }
    const timer = setTimeout(() => show("trouble"), offline || silent ? 0 : PATIENCE);
    return () => clearTimeout(timer);
  }, [open, offline, silent]);

  useEffect(() => {
    if (shown !== "trouble") return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [shown]);

  if (shown === "nothing") return null;
  const seconds = status.is === "waiting" ? Math.max(0, Math.ceil((status.retryAt - now) / 1000)) : 0;
  const queue = waiting > 0 && <span>{t("banner.waiting", { n: waiting })}</span>;
  const row = (icon: ReactNode, words: string, extra?: ReactNode) => (
    <div
      role="status"
      data-testid="connection-banner"
      data-state={shown === "back" ? "back" : status.is}
      className={cn(
        "appear flex min-h-9 shrink-0 items-center gap-2.5 px-4 py-1.5 text-13",
        shown === "back" ? "bg-success-tint text-success" : "bg-warning-tint text-warning-text",
      )}
    >
      {icon}
      <span className="min-w-0 flex-1">
        <b className="font-strong">{words}</b> {queue}
      </span>
      {extra}
    </div>
  );
  if (shown === "back") return row(<Check size={16} aria-hidden />, t("banner.back"));
  if (offline) return row(<CloudOff size={16} aria-hidden />, t("banner.offline"));
  if (status.is === "open") return row(<CloudOff size={16} aria-hidden />, t("banner.silent"));
  return row(
    <RefreshCw size={16} aria-hidden />,
    seconds > 0 ? t("banner.retry", { n: seconds }) : t("banner.connecting"),
    <button type="button" onClick={reconnectNow} className="font-strong underline-offset-3 hover:underline">
      {t("banner.now")}
    </button>,
  );
}
