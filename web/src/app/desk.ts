import type { QueryClient } from "@tanstack/react-query";
import { isAway, preferences } from "~/api/preferences";
import { say } from "./live";

const MOVES = ["pointerdown", "pointermove", "keydown", "wheel", "visibilitychange"] as const;
/** The server does not write it down more often. */
const OFTEN = 30_000;
const SELDOM = 120_000;

/**
 * Tells the server that somebody is at work: when they open a page, and then so often that nobody takes them for away. A
 * page that is closed or asleep says nothing, and they are away after as long as they chose.
 */
export function watchDesk(client: QueryClient): () => void {
  let said = 0;
  const move = () => {
    const mine = client.getQueryData(preferences.queryKey);
    if (!mine?.idleMinutes || document.visibilityState === "hidden") return;
    const now = Date.now();
    const wait = isAway(mine, now) && !mine.away ? OFTEN : Math.min(SELDOM, (mine.idleMinutes * 60_000) / 3);
    if (now - said >= wait && say({ kind: "active" })) said = now;
  };
  for (const one of MOVES) document.addEventListener(one, move, { passive: true });
  // Whoever opens a page is there.
  move();
  return () => {
    for (const one of MOVES) document.removeEventListener(one, move);
  };
}
