import { useEffect } from "react";

// What the tabs of one browser know of each other: by locks, which end with the tab that holds them. Where there are none (a page
// without https) each tab knows only itself.

const LOOKED_AT = "indaba.looking ";

const isLookedAt = (): boolean => document.visibilityState === "visible" && document.hasFocus();

/** Lets the other tabs know that somebody looks at this page, for as long as they do. */
export function useLooking(path: string): void {
  useEffect(() => {
    let end: (() => void) | undefined;
    const away = () => {
      end?.();
      end = undefined;
    };
    const look = () => {
      if (!isLookedAt()) away();
      else end ??= hold(LOOKED_AT + path);
    };
    look();
    addEventListener("focus", look);
    addEventListener("blur", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      removeEventListener("focus", look);
      removeEventListener("blur", look);
      document.removeEventListener("visibilitychange", look);
      away();
    };
  }, [path]);
}

function hold(name: string): () => void {
  let end = () => {};
  const held = new Promise<void>((done) => {
    end = done;
  });
  navigator.locks?.request(name, { mode: "shared" }, () => held).catch(() => undefined);
  return end;
}

/** The pages of this browser that somebody looks at: this one, or that of another tab. */
export async function lookedAt(): Promise<string[]> {
  const here = isLookedAt() ? [location.pathname] : [];
  const { held = [] } = (await navigator.locks?.query().catch(() => undefined)) ?? {};
  const names = held.flatMap((one) => one.name ?? []).filter((name) => name.startsWith(LOOKED_AT));
  return [...here, ...names.map((name) => name.slice(LOOKED_AT.length))];
}

/** Several tabs want to do the same: the first of them does it. */
export async function once(name: string, work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) return work();
  await navigator.locks.request(`indaba.once ${name}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    await work();
    // The slowest tab has heard of it by then.
    await new Promise((later) => setTimeout(later, 5_000));
  });
}
