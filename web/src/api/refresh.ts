// The access token lives a quarter of an hour. Renewing it is the work of one tab at a time: the refresh token rotates,
// and using an old one looks like theft.

const KEY = "indaba.refreshed";
const RENEW_AFTER = 10 * 60_000;

let here = 0;

/** When any tab of this browser last got fresh cookies. */
function refreshedAt(): number {
  try {
    return Math.max(here, Number(localStorage.getItem(KEY)) || 0);
  } catch {
    return here;
  }
}

/** To be called when an answer set fresh cookies: after sign-in, sign-up, a switch of workspace, a refresh. */
export function markFresh(): void {
  here = Date.now();
  try {
    localStorage.setItem(KEY, String(here));
  } catch {
    // Without storage each tab renews for itself; the server allows a second tab 30 s of grace.
  }
}

const lost = new Set<() => void>();

/** Calls `listener` when the session has ended for good. */
export function onSessionLost(listener: () => void): () => void {
  lost.add(listener);
  return () => void lost.delete(listener);
}

let tail: Promise<unknown> = Promise.resolve();

/** One at a time: over all tabs where the browser has locks (it has them on https and localhost), else in this tab. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  if (navigator.locks) return navigator.locks.request("indaba.refresh", work) as Promise<T>;
  const mine = tail.then(work, work);
  tail = mine.catch(() => undefined);
  return mine;
}

/**
 * Gets fresh cookies, unless somebody did since `asked`. True if the request that was refused then is worth repeating.
 * Throws if the server cannot be reached: then nothing is known about the session.
 */
export function refresh(asked: number): Promise<boolean> {
  return alone(async () => {
    if (refreshedAt() > asked) return true;
    const answer = await fetch("/api/auth/refresh", { method: "POST" });
    // Who the session belongs to is known; an answer that is not read stays open in the browser.
    await answer.text();
    if (answer.ok) {
      markFresh();
      return true;
    }
    if (answer.status === 401 || answer.status === 403) for (const listener of lost) listener();
    return false;
  });
}

/** Renews ahead of time, so that pictures and recordings (which cannot repeat themselves) are never refused. */
export function keepFresh(): () => void {
  const renew = () => {
    if (document.visibilityState !== "visible") return;
    const last = refreshedAt();
    if (Date.now() - last > RENEW_AFTER) refresh(last + 1).catch(() => undefined);
  };
  const timer = setInterval(renew, 60_000);
  document.addEventListener("visibilitychange", renew);
  renew();
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", renew);
  };
}
