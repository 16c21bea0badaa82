import { lazy, startTransition, useLayoutEffect, useMemo, useState } from "react";
import {
  UNSAFE_createBrowserHistory as createBrowserHistory,
  createPath,
  Navigate,
  type Navigator,
  Route,
  Router as Routed,
  Routes,
  type To,
} from "react-router";
import { mayLeave } from "~/ui/leaving";
import { Broken, MissingPage } from "./ErrorPage";
import { Frame } from "./Frame";

const InboxPage = lazy(() => import("./inbox/InboxPage"));
const ContactsPage = lazy(() => import("./ContactsPage"));
const NumbersPage = lazy(() => import("./NumbersPage"));
const SettingsPage = lazy(() => import("./SettingsPage"));
const AuthPage = lazy(() => import("./AuthPage"));

/** Where this tab is, and where it was before. */
export type Router = ReturnType<typeof makeRouter>;
export const makeRouter = () => createBrowserHistory({ v5Compat: true });

const pathOf = (to: To): string => new URL(typeof to === "string" ? to : createPath(to), location.href).pathname;

/**
 * Every place there is. What does not exist yet has no route. The library's data router would bring 17 kB of loaders and
 * actions that nothing here uses; all we would take from it is the question before unsaved changes are left, asked here.
 */
export function Pages({ router }: { router: Router }) {
  const [at, setAt] = useState({ action: router.action, location: router.location });
  const { pathname } = at.location;
  const here = createPath(at.location);
  useLayoutEffect(
    () =>
      router.listen(({ action, location, delta }) => {
        // The browser has gone back already: it is sent forward again, to where the page still is.
        const moved = createPath(location) !== here;
        if (action === "POP" && delta && moved && !mayLeave(location.pathname === pathname)) return router.go(-delta);
        startTransition(() => setAt({ action, location }));
      }),
    [router, pathname, here],
  );
  const navigator = useMemo<Navigator>(() => {
    const stays = (to: To) => pathOf(to) !== location.pathname && !mayLeave();
    return {
      createHref: router.createHref,
      encodeLocation: router.encodeLocation,
      go: router.go,
      push: (to, state) => stays(to) || router.push(to, state),
      replace: (to, state) => stays(to) || router.replace(to, state),
    };
  }, [router]);
  return (
    <Routed location={at.location} navigationType={at.action} navigator={navigator}>
      <Broken at={at.location}>
        <Routes>
          <Route path="/sign-in" element={<AuthPage kind="in" />} />
          <Route path="/sign-up" element={<AuthPage kind="up" />} />
          <Route element={<Frame />}>
            <Route index element={<Navigate to="/chat" replace />} />
            <Route path="chat/:id?" element={<InboxPage />} />
            <Route path="contacts" element={<ContactsPage />} />
            <Route path="instances" element={<NumbersPage />} />
            <Route path="settings/:part?" element={<SettingsPage />} />
            <Route path="*" element={<MissingPage />} />
          </Route>
        </Routes>
      </Broken>
    </Routed>
  );
}
