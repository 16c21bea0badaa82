import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Suspense, useEffect, useRef, useState } from "react";
import { Navigate, Outlet, useLocation, useMatch, useNavigate } from "react-router";
import { preferences } from "~/api/preferences";
import { Problem } from "~/api/problem";
import { keepFresh, onSessionLost } from "~/api/refresh";
import { me as whoAmI } from "~/api/session";
import type { Session } from "~/api/types";
import { drafts } from "~/features/conversations/drafts";
import { counts } from "~/features/conversations/queries";
import { t } from "~/i18n/t";
import { letGo } from "~/ui/leaving";
import { fetchMenus } from "~/ui/Menu";
import { part } from "~/ui/part";
import { Failed } from "~/ui/states";
import { useNarrow } from "~/ui/useNarrow";
import { BottomBar } from "./BottomBar";
import { ConnectionBanner } from "./ConnectionBanner";
import { useKeys, useSequence } from "./keyboard";
import { goLive, useLiveStatus } from "./live";
import { hideOverlay, showPalette, showShortcuts, useOverlay } from "./overlays";
import { rail } from "./panes";
import { Rail } from "./Rail";
import { useLooking } from "./tabs";

const palette = () => import("./Palette");
const toasts = () => import("./Toasts");
const Palette = part(palette);
const Shortcuts = part(() => import("./Shortcuts"));

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
        letGo();
        navigate(doorBefore(location), { replace: true, state: { ended: true } });
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
