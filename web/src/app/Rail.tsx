import { ChevronsLeft, ChevronsRight } from "lucide-react";
import { Link, useLocation } from "react-router";
import type { Session } from "~/api/types";
import { language } from "~/i18n/language";
import { t } from "~/i18n/t";
import { Cloth } from "~/ui/Cloth";
import { Count } from "~/ui/Count";
import { cn } from "~/ui/cn";
import { Mark } from "~/ui/Mark";
import { Tip } from "~/ui/Tip";
import { rail } from "./panes";
import { places } from "./places";
import { UserMenu } from "./UserMenu";
import { Workspaces } from "./Workspaces";

/** The root pages at the side, wide or tight. */
export function Rail({ session, tight, unread }: { session: Session; tight: boolean; unread: number }) {
  const here = useLocation().pathname;
  return (
    <nav
      aria-label={t("frame.main")}
      data-testid="rail"
      className={cn(
        "rail relative flex shrink-0 flex-col overflow-hidden bg-rail py-3 text-rail-text",
        tight ? "w-15 items-center px-2.5" : "w-54 px-3",
      )}
    >
      <Cloth
        className={cn(
          "pointer-events-none absolute -bottom-15 size-80 max-w-none text-rail-dot",
          tight ? "-start-32.5" : "-start-12.5",
        )}
      />
      <Link
        to="/chat"
        aria-label={t("app.home")}
        className={cn(
          "relative mb-3 flex h-9 items-center gap-2.5 rounded-control text-18 font-strong tracking-[-0.01em] text-rail-strong",
          !tight && "px-1.5",
        )}
      >
        <Mark size={26} />
        {!tight && t("app.name")}
      </Link>
      <div className="relative mb-3 w-full">
        <Workspaces session={session} tight={tight} />
      </div>
      <ul className="relative flex w-full flex-col gap-0.5">
        {places.map(({ to, name, icon: Icon }) => {
          const badge = to === "/chat" && unread > 0;
          const active = here === to || here.startsWith(`${to}/`);
          const link = (
            <Link
              to={to}
              aria-current={active ? "page" : undefined}
              className={cn(
                "press relative flex items-center gap-2.5 rounded-control font-medium",
                tight ? "size-10 justify-center" : "h-9 px-2.25",
                active
                  ? "bg-rail-active text-rail-strong before:absolute before:top-1/2 before:h-5 before:w-[3px] before:-translate-y-1/2 before:rounded-e-[3px] before:bg-rail-strong"
                  : "hover:bg-rail-hover hover:text-rail-strong",
                active && (tight ? "before:-start-2.5" : "before:-start-3"),
              )}
            >
              <Icon size={20} aria-hidden />
              <span className={tight ? "sr-only" : "flex-1"}>{t(name)}</span>
              {badge && (
                <>
                  <Count
                    n={unread}
                    most={99}
                    look="ember"
                    className={cn(tight && "absolute -end-1.25 -top-0.75 shadow-[0_0_0_2px_var(--rail)]")}
                  />
                  <span className="sr-only">{t("place.unread", { n: unread })}</span>
                </>
              )}
            </Link>
          );
          return (
            <li key={to}>
              {tight ? (
                <Tip text={t(name)} side={language.rtl ? "left" : "right"}>
                  {link}
                </Tip>
              ) : (
                link
              )}
            </li>
          );
        })}
      </ul>
      <div className="relative mt-auto flex w-full flex-col gap-1">
        <button
          type="button"
          data-testid="rail-toggle"
          aria-expanded={!tight}
          aria-label={t(tight ? "frame.widen" : "frame.narrow")}
          title={t(tight ? "frame.widen" : "frame.narrow")}
          onClick={() => rail.set(tight ? "wide" : "tight")}
          className={cn(
            "press grid h-8 place-items-center rounded-control text-rail-text hover:bg-rail-hover hover:text-rail-strong",
            tight ? "w-10" : "w-9",
          )}
        >
          {tight ? (
            <ChevronsRight size={18} aria-hidden className="rtl:-scale-x-100" />
          ) : (
            <ChevronsLeft size={18} aria-hidden className="rtl:-scale-x-100" />
          )}
        </button>
        <UserMenu tight={tight} />
      </div>
    </nav>
  );
}
