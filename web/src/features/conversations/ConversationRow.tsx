import { CircleAlert, CircleHelp, Clock, User } from "lucide-react";
import { memo, type ReactNode } from "react";
import { Link } from "react-router";
import type { Conversation, Label, MessageState } from "~/api/types";
import { left } from "~/i18n/format";
import { nameOf, numberBy } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Chip } from "~/ui/Chip";
import { Count } from "~/ui/Count";
import { cn } from "~/ui/cn";
import { Tick } from "~/ui/Tick";
import { useLongPress } from "~/ui/useLongPress";
import { useNow } from "~/ui/useNow";
import { When } from "~/ui/When";
import { inOneLine, KindIcon } from "./kinds";
import { LabelChips } from "./LabelChip";
import { carried } from "./labels";

const TWO_HOURS = 2 * 60 * 60_000;

interface RowProps {
  row: Conversation;
  open: boolean;
  draft: string | undefined;
  to: string;
  user: string;
  labels: ReadonlyMap<string, Label>;
  /** Several numbers: each row says which. */
  several: boolean;
  /** They reach WhatsApp in different ways: each row says how. */
  mixed?: boolean;
  phone: boolean;
  /** Two lines: one chip at most, beside the words. */
  dense: boolean;
  /** A long touch asks what can be done. */
  onMenu?: ((row: Conversation, at: { x: number; y: number }) => void) | undefined;
}

export interface RowChip {
  key: string;
  chip: ReactNode;
}

/** Up to three chips, the most urgent first: on a narrow row the last leave. */
function chips(row: Conversation, now: number, user: string, several: boolean, mixed: boolean): RowChip[] {
  const made: RowChip[] = [];
  const last = row.lastMessage;
  const closes = row.windowEndsAt ? Date.parse(row.windowEndsAt) - now : 0;
  if (row.instance.provider === "cloud" && closes > 0 && closes < TWO_HOURS)
    made.push({
      key: "window",
      chip: (
        <Chip small look="warning" icon={<Clock aria-hidden />}>
          {t("row.windowCloses", { left: left(closes) })}
        </Chip>
      ),
    });
  if (last?.state === "failed")
    made.push({
      key: "failed",
      chip: (
        <Chip small look="bad" icon={<CircleAlert aria-hidden />}>
          {t("row.notSent")}
        </Chip>
      ),
    });
  if (last?.state === "unknown")
    made.push({
      key: "unknown",
      chip: (
        <Chip small look="warning" icon={<CircleHelp aria-hidden />}>
          {t("row.unknown")}
        </Chip>
      ),
    });
  if (row.assignee && row.assignee.id !== user)
    made.push({
      key: "assignee",
      chip: (
        <Chip small icon={<User aria-hidden />}>
          {row.assignee.name}
        </Chip>
      ),
    });
  if (several)
    made.push({
      key: "number",
      chip: (
        <Chip small look="label">
          {mixed ? numberBy(row.instance) : row.instance.name}
        </Chip>
      ),
    });
  return made.slice(0, 3);
}

function Preview({ row, draft }: { row: Conversation; draft: string | undefined }) {
  const last = row.lastMessage;
  if (draft)
    return (
      <>
        <span className="shrink-0 font-medium text-danger">{t("row.draft")}</span>
        <span dir="auto" className="truncate">
          {draft}
        </span>
      </>
    );
  if (!last) return <span className="truncate">{t("row.nothingYet")}</span>;
  return (
    <>
      {last.direction === "outbound" && (
        <Tick state={last.state as MessageState} ai={last.author.kind === "assistant"} />
      )}
      <KindIcon kind={last.kind} />
      <span dir="auto" className="truncate">
        {inOneLine(last.kind, last.preview)}
      </span>
    </>
  );
}

/** One conversation of the list: who, when, what was said last, and what needs to be known before opening it. */
export const ConversationRow = memo(function ConversationRow({
  row,
  open,
  draft,
  to,
  user,
  labels,
  several,
  mixed,
  phone,
  dense,
  onMenu,
}: RowProps) {
  const now = useNow();
  const unread = row.unreadCount > 0;
  const failed = row.lastMessage?.state === "failed" && !draft;
  const made = chips(row, now, user, several, !!mixed);
  const on = carried(labels, row.labels);
  const press = useLongPress(onMenu && ((at) => onMenu(row, at)));
  return (
    <Link
      to={to}
      data-testid="conversation-row"
      data-id={row.id}
      aria-current={open ? "true" : undefined}
      {...press}
      className={cn(
        "press relative grid h-full content-center border-b border-border focus-visible:-outline-offset-2 pointer-coarse:select-none pointer-coarse:[-webkit-touch-callout:none]",
        phone
          ? "grid-cols-[48px_minmax(0,1fr)_auto] gap-x-3 px-4"
          : dense
            ? "grid-cols-[32px_minmax(0,1fr)_auto] gap-x-2.5 ps-3.5 pe-3"
            : "grid-cols-[40px_minmax(0,1fr)_auto] gap-x-2.5 ps-3.5 pe-3",
        open
          ? "bg-selected before:absolute before:inset-y-0 before:start-0 before:w-[3px] before:bg-primary"
          : "hover:bg-hover",
      )}
    >
      <span className={cn("row-span-3 self-start", phone ? "" : "mt-0.5")}>
        <Avatar id={row.contact.id} name={row.contact.name ?? ""} size={phone ? 48 : dense ? 32 : 40} />
      </span>
      <span
        dir="auto"
        className={cn(
          "truncate at-start",
          phone ? "text-16 leading-[22px]" : "leading-[19px]",
          unread ? "font-strong" : "font-medium",
        )}
      >
        {nameOf(row.contact)}
      </span>
      <span
        className={cn(
          "text-end text-12 tabular-nums",
          phone ? "leading-[22px]" : "leading-[19px]",
          unread ? "font-medium text-ember" : "text-muted",
        )}
      >
        {row.lastMessage && <When at={row.lastMessage.at} />}
      </span>
      <span
        className={cn(
          "flex min-w-0 items-center gap-1",
          phone ? "text-14" : "text-13",
          failed ? "text-danger" : unread ? "text-text" : "text-muted",
        )}
      >
        <Preview row={row} draft={draft} />
      </span>
      <span className="flex max-w-28 items-center gap-1 justify-self-end">
        {dense && made[0] && <span className="flex min-w-0">{made[0].chip}</span>}
        {unread && (
          <>
            <Count n={row.unreadCount} most={99} />
            <span className="sr-only">{t("row.unread", { n: row.unreadCount })}</span>
          </>
        )}
      </span>
      {!dense && made.length + on.length > 0 && (
        // What finds no room falls below the edge, whole.
        <span className="col-start-2 col-end-4 mt-0.5 flex h-4.5 min-w-0 flex-wrap gap-1 overflow-hidden">
          {made.map(({ key, chip }) => (
            <span key={key} className={cn("flex min-w-0 shrink-0", key === "number" && "order-last")}>
              {chip}
            </span>
          ))}
          <LabelChips labels={on} most={3} small />
        </span>
      )}
    </Link>
  );
});
