import { Check, Clock, Inbox, MailOpen, Reply, User, UserX } from "lucide-react";
import type { ComponentType } from "react";
import { Link } from "react-router";
import type { Counts } from "~/api/types";
import { number } from "~/i18n/format";
import { type PlainKey, t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import type { View } from "./filter";

interface Shown {
  view: View;
  name: PlainKey;
  icon: ComponentType<{ size?: number; className?: string; "aria-hidden"?: boolean }>;
  count?: keyof Counts;
}

export const shownViews: Shown[] = [
  { view: "all", name: "view.all", icon: Inbox, count: "open" },
  { view: "mine", name: "view.mine", icon: User, count: "mine" },
  { view: "unassigned", name: "view.unassigned", icon: UserX, count: "unassigned" },
  { view: "unread", name: "view.unread", icon: MailOpen, count: "unread" },
  { view: "us", name: "view.us", icon: Clock },
  { view: "them", name: "view.them", icon: Reply },
  { view: "resolved", name: "view.resolved", icon: Check },
];

export const viewName = (view: View): string => t(shownViews.find((one) => one.view === view)?.name ?? "view.all");

interface Props {
  view: View;
  counts: Counts | undefined;
  to: (view: View) => string;
}

/** The views as a pane of their own. */
export function ViewsPane({ view, counts, to }: Props) {
  return (
    <nav
      aria-label={t("view.title")}
      className="flex min-h-0 flex-col overflow-y-auto border-e border-border bg-surface px-2 py-3.5"
      data-testid="views"
    >
      <h1 className="px-2.5 pb-2.5 text-16 font-strong">{t("inbox.title")}</h1>
      <ul>
        {shownViews.map((one, at) => (
          <li key={one.view}>
            {at === 4 && <div className="px-2.5 pt-3.5 pb-1.5 text-12 font-medium text-muted">{t("view.waiting")}</div>}
            {at === 6 && <div className="px-2.5 pt-3.5 pb-1.5 text-12 font-medium text-muted">{t("view.done")}</div>}
            <Link
              to={to(one.view)}
              aria-current={one.view === view ? "page" : undefined}
              className={cn(
                "press flex min-h-8 items-center gap-2 rounded-control px-2.5 py-1 text-13 leading-4 pointer-coarse:min-h-11",
                one.view === view ? "bg-selected font-strong text-link" : "hover:bg-hover",
              )}
            >
              <one.icon size={16} aria-hidden className={cn("shrink-0", one.view !== view && "text-muted")} />
              <span className="min-w-0">{t(one.name)}</span>
              {one.count && counts && counts[one.count] > 0 && (
                <span className={cn("ms-auto text-12 tabular-nums", one.view === view ? "" : "text-muted")}>
                  {number(counts[one.count])}
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The views as a row of pills, on a phone. */
export function ViewPills({ view, counts, to }: Props) {
  return (
    <nav
      aria-label={t("view.title")}
      className="flex shrink-0 gap-2 overflow-x-auto border-b border-border px-4 py-2.5 [scrollbar-width:none]"
    >
      {shownViews.map((one) => (
        <Link
          key={one.view}
          to={to(one.view)}
          replace
          aria-current={one.view === view ? "page" : undefined}
          className={cn(
            "flex h-8 shrink-0 items-center gap-1.5 rounded-full border px-3 text-13 font-medium whitespace-nowrap",
            one.view === view ? "border-transparent bg-primary text-on-primary" : "border-control",
          )}
        >
          {t(one.name)}
          {one.count && counts && counts[one.count] > 0 && (
            <b className={cn("font-strong tabular-nums", one.view !== view && "text-muted")}>
              {number(counts[one.count])}
            </b>
          )}
        </Link>
      ))}
    </nav>
  );
}
