import { CircleAlert, ListFilter, Lock, RefreshCw } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { describe } from "~/api/problem";
import { t } from "~/i18n/t";
import { Button } from "./Button";
import { cn } from "./cn";
import { OpenSeats } from "./Mark";

function Box({
  icon,
  title,
  text,
  action,
  testId,
  alert,
}: {
  icon: ReactNode;
  title: ReactNode;
  text?: ReactNode;
  action?: ReactNode;
  testId: string;
  alert?: boolean;
}) {
  return (
    <div
      data-testid={testId}
      role={alert ? "alert" : undefined}
      className="mx-auto flex max-w-96 flex-col items-center px-4 py-10 text-center"
    >
      <span className="mb-2 flex">{icon}</span>
      <h2 className="text-14 font-strong text-balance">{title}</h2>
      {text && <p className="mt-0.5 text-13 text-balance text-muted">{text}</p>}
      {action && <div className="mt-3.5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

/** Nothing here yet: open seats round the fire, one line, one next action. */
export function Empty(props: { title: ReactNode; text?: ReactNode; action?: ReactNode }) {
  return <Box {...props} icon={<OpenSeats />} testId="empty" />;
}

/** There is something, but the filters hide it. */
export function NothingMatches({ title, text, onClear }: { title: ReactNode; text?: ReactNode; onClear: () => void }) {
  return (
    <Box
      icon={<ListFilter size={20} className="text-muted" aria-hidden />}
      title={title}
      text={text}
      testId="nothing-matches"
      action={
        <Button size="dense" onClick={onClear}>
          {t("state.clearFilters")}
        </Button>
      }
    />
  );
}

/** What happened, the request id, and Try again. */
export function Failed({ error, what, onRetry }: { error: unknown; what: string; onRetry: () => void }) {
  const { detail, requestId } = describe(error);
  return (
    <Box
      icon={<CircleAlert size={20} className="text-danger" aria-hidden />}
      title={what}
      text={requestId ? t("state.request", { detail, id: requestId }) : detail}
      testId="failed"
      alert
      action={
        <Button size="dense" icon={<RefreshCw size={16} aria-hidden />} onClick={onRetry}>
          {t("state.tryAgain")}
        </Button>
      }
    />
  );
}

/** What the screen is, and who can open it. */
export function NotAllowed({ title, text }: { title: string; text: string }) {
  return (
    <Box icon={<Lock size={20} className="text-muted" aria-hidden />} title={title} text={text} testId="not-allowed" />
  );
}

export function EndOfList({ children }: { children: ReactNode }) {
  return (
    <p data-testid="end-of-list" className="px-4 py-5 text-center text-12 text-muted">
      {children}
    </p>
  );
}

/** One grey stroke of a skeleton. */
export function Bone({ className }: { className?: string }) {
  return <span className={cn("tint-shimmer block h-2.5 rounded-small", className)} />;
}

/** Skeletons wait 150 ms: what is quick should not blink. */
export function Loading({ children, label = t("state.loading") }: { children: ReactNode; label?: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div data-testid="loading" role="status" aria-label={label} className={late ? "appear" : "invisible"}>
      {children}
    </div>
  );
}

/** Rows of a plain list, while they load. */
export function BoneRows({ rows = 4 }: { rows?: number }) {
  return Array.from({ length: rows }, (_, at) => (
    <div key={at} className="flex items-center gap-3 border-b border-border px-4 py-4 last:border-0">
      <Bone className="w-1/4" />
      <Bone className="w-2/5" />
      <Bone className="ms-auto w-12" />
    </div>
  ));
}
