import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronsLeft, ChevronsRight, ChevronsUpDown, Inbox, Settings, Smartphone, Users } from "lucide-react";
import { Suspense, useEffect, useRef, useState } from "react";
import { Link, Navigate, NavLink, Outlet, useLocation, useMatch, useNavigate } from "react-router";
import { api, take } from "~/api/client";
import { preferences } from "~/api/preferences";
import { describe, Problem } from "~/api/problem";
import { keepFresh, markFresh, onSessionLost } from "~/api/refresh";
import { me as whoAmI } from "~/api/session";
import type { Session } from "~/api/types";
import { drafts } from "~/features/conversations/drafts";
import { counts } from "~/features/conversations/queries";
import { language } from "~/i18n/language";
import { type PlainKey, t } from "~/i18n/t";
import { initials } from "~/ui/Avatar";
import { Cloth } from "~/ui/Cloth";
import { Count } from "~/ui/Count";
import { cn } from "~/ui/cn";
import { Mark } from "~/ui/Mark";
import { fetchMenus, Menu, MenuChoice, MenuLabel } from "~/ui/Menu";
import { part } from "~/ui/part";
import { Failed } from "~/ui/states";
import { Tip } from "~/ui/Tip";
import { toast } from "~/ui/toast";
import { useNarrow } from "~/ui/useNarrow";
import { ConnectionBanner } from "./ConnectionBanner";
import { useKeys, useSequence } from "./keyboard";
import { goLive, useLiveStatus } from "./live";
import { hideOverlay, showPalette, showShortcuts, useOverlay } from "./overlays";
import { rail } from "./panes";
import { useLooking } from "./tabs";
import { UserMenu } from "./UserMenu";

const palette = () => import("./Palette");
const toasts = () => import("./Toasts");
const Palette = part(palette);
const Shortcuts = part(() => import("./Shortcuts"));

interface Place {
  to: string;
  name: PlainKey;
  icon: typeof Inbox;
}

const places: Place[] = [
  { to: "/chat", name: "place.inbox", icon: Inbox },
  { to: "/contacts", name: "place.contacts", icon: Users },
  { to: "/instances", name: "place.numbers", icon: Smartphone },
  { to: "/settings", name: "place.settings", icon: Settings },
];

/** Goes to another workspace of the same person. The page loads anew: nothing of the one before may show through. */
async function switchTo(tenantId: string): Promise<void> {
  try {
    await take(api.POST("/api/me/tenant", { body: { tenantId } }));
    markFresh();
    location.assign("/chat");
  } catch (error) {
    toast.error(describe(error).detail);
  }
}

function Workspaces({ session, tight }: { session: Session; tight: boolean }) {
  const several = session.tenants.length > 1;
  const badge = (
    <span
      className="grid size-5.5 shrink-0 place-items-center rounded-[6px] bg-rail-text text-11 font-strong text-rail before:content-[attr(data-initials)]"
      aria-hidden="true"
      data-initials={initials(session.tenant.name) || "#"}
    />
  );
  const look = cn(
    "flex h-10 items-center gap-2 rounded-control bg-rail-hover text-13 font-medium text-rail-strong",
    tight ? "w-10 justify-center" : "w-full px-2",
  );
  if (!several)
    return (
      <div className={look} title={session.tenant.name}>
        {badge}
        {tight ? (
          <span className="sr-only">{session.tenant.name}</span>
        ) : (
          <span dir="auto" className="min-w-0 flex-1 truncate at-start">
            {session.tenant.name}
          </span>
        )}
      </div>
    );
  return (
    <Menu
      align="start"
      label={t("workspace.switch")}
      trigger={
        <button
          type="button"
          className={cn(look, "press hover:bg-rail-active")}
          aria-label={t("workspace.current", { name: session.tenant.name })}
          data-testid="workspaces"
        >
          {badge}
          {!tight && (
            <>
              <span dir="auto" className="min-w-0 flex-1 truncate at-start">
                {session.tenant.name}
              </span>
              <ChevronsUpDown size={16} aria-hidden />
            </>
          )}
        </button>
      }
    >
      <MenuLabel>{t("workspace.switch")}</MenuLabel>
      {session.tenants.map((one) => (
        <MenuChoice
          key={one.id}
          chosen={one.id === session.tenant.id}
          onSelect={() => one.id !== session.tenant.id && void switchTo(one.id)}
        >
          {one.name}
        </MenuChoice>
      ))}
    </Menu>
  );
}

function Rail({ session, tight, unread }: { session: Session; tight: boolean; unread: number }) {
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

function BottomBar({ unread }: { unread: number }) {
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

/** The sign-in, and from there back to where somebody wanted to go. */
const doorBefore = ({ pathname, search }: { pathname: string; search: string }): string =>
  pathname === "/" || pathname === "/chat" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(pathname + search)}`;

/** Everything behind the sign-in: rail or bottom bar, the live stream, the keys that work everywhere. */
export function Frame() {
  const client = useQueryClient();
  const here = useLocation();
  const { data: session, error, isPending, refetch } = useQuery(whoAmI);
  const navigate = useNavigate();
  const owner = session ? `${session.tenant.id} ${session.user.id}` : undefined;
  const current = useRef(session);
  current.current = session;

  useEffect(() => {
    if (!owner || !current.current) return;
    drafts.open(current.current);
    const end = goLive(client, current.current);
    const fresh = keepFresh();
    return () => {
      end();
      fresh();
    };
  }, [client, owner]);
  useEffect(
    () =>
      onSessionLost(() => {
        client.clear();
        navigate(doorBefore(location), { replace: true });
      }),
    [client, navigate],
  );

  if (isPending)
    return (
      <div className="flex h-full">
        <div className="w-15 shrink-0 bg-rail max-phone:hidden" />
      </div>
    );
  if (!session) {
    if (error instanceof Problem && error.status === 401) return <Navigate to={doorBefore(here)} replace />;
    return (
      <div className="grid h-full place-items-center">
        <Failed error={error} what={t("frame.failed")} onRetry={() => void refetch()} />
      </div>
    );
  }
  return <Framed session={session} />;
}

function Framed({ session }: { session: Session }) {
  const unread = useQuery(counts).data?.unread ?? 0;
  const phone = useNarrow();
  const small = useNarrow(1024);
  const chosen = rail.use();
  const inThread = !!useMatch("/chat/:id");
  const inbox = !!useMatch("/chat/*");
  const overlay = useOverlay();
  const navigate = useNavigate();
  const to = useRef(navigate);
  to.current = navigate;
  const client = useQueryClient();
  const me = session.user.id;
  const live = useLiveStatus().is === "open";
  // On a phone no menu asks for them.
  const wishes = !!useQuery(preferences).data;
  const [rested, setRested] = useState(false);
  const [watchers, setWatchers] = useState<[typeof import("./alerts"), typeof import("./desk")]>();
  useLooking(useLocation().pathname);
  const tight = small || chosen === "tight" || (chosen === "auto" && inbox);

  useKeys({ "?": showShortcuts });
  useSequence("g", {
    c: () => navigate("/chat"),
    t: () => navigate("/contacts"),
    n: () => navigate("/instances"),
    s: () => navigate("/settings"),
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.shiftKey && !event.altKey) {
        event.preventDefault();
        showPalette();
      }
    };
    document.addEventListener("keydown", press);
    // Fetched when the page has come to rest: who presses the keys types on at once, a menu opens, and a result is said, offline too.
    const rest = setTimeout(() => {
      setRested(true);
      // Each is fetched again when it is needed.
      for (const one of [palette, fetchMenus, toasts]) one().catch(() => undefined);
    }, 2000);
    return () => {
      document.removeEventListener("keydown", press);
      clearTimeout(rest);
    };
  }, []);
  useEffect(() => {
    // What could not be fetched is fetched when the stream opens again.
    if (rested && live && !watchers)
      Promise.all([import("./alerts"), import("./desk")]).then(setWatchers, () => undefined);
  }, [rested, live, watchers]);
  useEffect(() => {
    if (!watchers || !wishes) return;
    const [{ watchAlerts }, { watchDesk }] = watchers;
    const ends = [watchDesk(client), watchAlerts(client, me, (id) => to.current(`/chat/${id}`))];
    return () => {
      for (const end of ends) end();
    };
  }, [client, me, watchers, wishes]);

  return (
    <div className="flex h-full min-h-0 max-phone:flex-col">
      <a
        href="#content"
        className="sr-only z-50 rounded-control bg-raised px-4 py-2 text-link shadow-menu focus:not-sr-only focus:fixed focus:start-3 focus:top-3"
      >
        {t("frame.skip")}
      </a>
      {!phone && <Rail session={session} tight={tight} unread={unread} />}
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <ConnectionBanner />
        <main id="content" tabIndex={-1} className="min-h-0 flex-1 outline-none">
          <Suspense>
            <Outlet />
          </Suspense>
        </main>
      </div>
      {phone && !inThread && <BottomBar unread={unread} />}
      {overlay === "palette" && (
        <Palette fallback={<div data-covers className="fixed inset-0 z-40 bg-scrim" />} onClose={hideOverlay} />
      )}
      {overlay === "shortcuts" && <Shortcuts onClose={hideOverlay} />}
    </div>
  );
}
