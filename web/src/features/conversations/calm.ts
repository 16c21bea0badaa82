import { useMemo, useRef } from "react";

interface Item {
  id: string;
}

export interface Held {
  ids: string[];
  stamps: Map<string, string>;
}

export interface Reading<T> {
  /** Changes when the item would move. */
  stamp: (item: T) => string;
  /** Worth counting: somebody else did it. */
  isNews: (item: T) => boolean;
}

/**
 * The order to show while somebody reads or points at the list. Rows stay where they are and change in place; what the
 * next page brought is added below; what arrived or would move is counted.
 */
export function calm<T extends Item>(
  live: T[],
  held: Held,
  { stamp, isNews }: Reading<T>,
): { items: T[]; news: number } {
  const byId = new Map(live.map((item) => [item.id, item]));
  const place = new Map(live.map((item, at) => [item.id, at]));
  const items: T[] = [];
  let news = 0;
  let end = -1;
  for (const id of held.ids) {
    const item = byId.get(id);
    if (!item) continue;
    items.push(item);
    if (stamp(item) === held.stamps.get(id)) end = Math.max(end, place.get(id) ?? -1);
    else if (isNews(item)) news += 1;
  }
  const here = new Set(held.ids);
  for (const [at, item] of live.entries()) {
    if (here.has(item.id)) continue;
    if (at > end) items.push(item);
    else if (isNews(item)) news += 1;
  }
  return { items, news };
}

/** Holds the order of a list while `hold` is on. `scope`: another list, another order. */
export function useCalm<T extends Item>(
  live: T[],
  hold: boolean,
  scope: string,
  reading: Reading<T>,
): { items: T[]; news: number } {
  const held = useRef<(Held & { scope: string }) | null>(null);
  if (!hold) held.current = null;
  else if (held.current?.scope !== scope)
    held.current = {
      scope,
      ids: live.map((item) => item.id),
      stamps: new Map(live.map((item) => [item.id, reading.stamp(item)])),
    };
  const now = held.current;
  return useMemo(() => (now ? calm(live, now, reading) : { items: live, news: 0 }), [live, now, reading]);
}
