import { NavLink } from "react-router";
import { t } from "~/i18n/t";
import { Count } from "~/ui/Count";
import { cn } from "~/ui/cn";
import { places } from "./places";

/** The root pages below, on a phone. */
export function BottomBar({ unread }: { unread: number }) {
  return (
    <nav
      aria-label={t("frame.main")}
      data-testid="bottom-bar"
      className="grid shrink-0 grid-cols-4 border-t border-border bg-raised pt-1.5 pb-[max(10px,env(safe-area-inset-bottom))]"
    >
      {places.map(({ to, name, icon: Icon }) => {
        const badge = to === "/chat" && unread > 0;
        return (
          <NavLink
            key={to}
            to={to}
            className={({ isActive }) =>
              cn(
                "group flex flex-col items-center gap-[3px] text-12 leading-[14px] font-medium",
                isActive ? "text-link" : "text-muted",
              )
            }
          >
            {({ isActive }) => (
              <>
                <span
                  className={cn(
                    "relative grid h-7.5 w-15 place-items-center rounded-full",
                    isActive && "bg-primary-tint",
                  )}
                >
                  <Icon size={22} aria-hidden />
                  {badge && (
                    <Count
                      n={unread}
                      most={99}
                      look="ember"
                      className="absolute -top-[3px] end-1 shadow-[0_0_0_2px_var(--raised)]"
                    />
                  )}
                </span>
                {badge && <span className="sr-only">{t("place.unread", { n: unread })}</span>}
                {t(name)}
              </>
            )}
          </NavLink>
        );
      })}
    </nav>
  );
}
