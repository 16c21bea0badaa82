import type { InfiniteData } from "@tanstack/react-query";
import type { Page } from "./types";

/** A list as it is cached: the pages read so far, in order. */
export type Pages<T> = InfiniteData<Page<T>, unknown>;

interface Item {
  id: string;
}

/** All items, each once: a row that moved while pages were read may stand on two of them. */
export function flatten<T extends Item>(pages: Pages<T> | undefined): T[] {
  if (!pages) return [];
  if (pages.pages.length === 1) return pages.pages[0]?.items ?? [];
  const seen = new Set<string>();
  const items: T[] = [];
  for (const page of pages.pages) {
    for (const item of page.items) {
      if (seen.has(item.id)) continue;
      seen.add(item.id);
      items.push(item);
    }
  }
  return items;
}

export function find<T extends Item>(pages: Pages<T> | undefined, id: string): T | undefined {
  for (const page of pages?.pages ?? []) {
    const item = page.items.find((one) => one.id === id);
    if (item) return item;
  }
  return undefined;
}

/** Without the item; the same object when it was not there. */
export function without<T extends Item>(pages: Pages<T>, id: string): Pages<T> {
  if (!find(pages, id)) return pages;
  return {
    ...pages,
    pages: pages.pages.map((page) =>
      page.items.some((one) => one.id === id) ? { ...page, items: page.items.filter((one) => one.id !== id) } : page,
    ),
  };
}

/** The item changed where it stands. */
export function changed<T extends Item>(pages: Pages<T>, id: string, change: (item: T) => T): Pages<T> {
  if (!find(pages, id)) return pages;
  return {
    ...pages,
    pages: pages.pages.map((page) =>
      page.items.some((one) => one.id === id)
        ? { ...page, items: page.items.map((one) => (one.id === id ? change(one) : one)) }
        : page,
    ),
  };
}

/**
 * The item at its place in the order, in place of an older one with its id. What belongs behind the last page read is
 * left out: it comes when that page is read.
 */
export function placed<T extends Item>(pages: Pages<T>, item: T, order: (a: T, b: T) => number): Pages<T> {
  const cleared = without(pages, item.id);
  for (const [number, page] of cleared.pages.entries()) {
    const at = page.items.findIndex((one) => order(item, one) < 0);
    if (at < 0) continue;
    return {
      ...cleared,
      pages: cleared.pages.map((one, index) =>
        index === number ? { ...one, items: [...one.items.slice(0, at), item, ...one.items.slice(at)] } : one,
      ),
    };
  }
  const last = cleared.pages.at(-1);
  if (!last || last.next) return cleared;
  return { ...cleared, pages: [...cleared.pages.slice(0, -1), { ...last, items: [...last.items, item] }] };
}
