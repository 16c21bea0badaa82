import { describe, expect, it } from "vitest";
import { changed, flatten, type Pages, placed, without } from "~/api/pages";
import { calm, type Reading } from "./calm";
import { mark } from "./mark";
import { firstUnread } from "./thread";

const pages = (...ids: string[][]): Pages<{ id: string }> => ({
  pages: ids.map((page, at) => ({ items: page.map((id) => ({ id })), next: at < ids.length - 1 ? "more" : null })),
  pageParams: ids.map(() => null),
});
const newest = (a: { id: string }, b: { id: string }) => b.id.localeCompare(a.id);
const ids = (of: Pages<{ id: string }>) => flatten(of).map((one) => one.id);

describe("pages in the cache", () => {
  it("put an item at its place, once", () => {
    expect(ids(placed(pages(["9", "7"], ["3"]), { id: "5" }, newest))).toEqual(["9", "7", "5", "3"]);
    expect(ids(placed(pages(["9", "7"], ["3"]), { id: "7" }, newest))).toEqual(["9", "7", "3"]);
  });

  it("leave out what belongs behind the last page that was read", () => {
    const open: Pages<{ id: string }> = { pages: [{ items: [{ id: "9" }], next: "more" }], pageParams: [null] };
    expect(ids(placed(open, { id: "1" }, newest))).toEqual(["9"]);
    expect(ids(placed(pages(["9"]), { id: "1" }, newest))).toEqual(["9", "1"]);
  });

  it("stay the same object when nothing changes", () => {
    const before = pages(["2"], ["1"]);
    expect(without(before, "7")).toBe(before);
    expect(changed(before, "7", (one) => one)).toBe(before);
  });

  it("show an item once that stands on two pages", () => {
    expect(ids(pages(["3", "2"], ["2", "1"]))).toEqual(["3", "2", "1"]);
  });
});

describe("a list that is being read", () => {
  type Row = { id: string; at: string; out?: boolean };
  const reading: Reading<Row> = { stamp: (one) => one.at, isNews: (one) => !one.out };
  const row = (id: string, at = "1", out = false): Row => ({ id, at, out });
  const held = {
    ids: ["a", "b", "c"],
    stamps: new Map([
      ["a", "1"],
      ["b", "1"],
      ["c", "1"],
    ]),
  };

  it("keeps its order, and counts what arrived and what would move", () => {
    const { items, news } = calm([row("c", "2"), row("new", "2"), row("a"), row("b")], held, reading);
    expect(items.map((one) => one.id)).toEqual(["a", "b", "c"]);
    expect(news).toBe(2);
  });

  it("adds the next page below, and does not count it", () => {
    const { items, news } = calm([row("a"), row("b"), row("c"), row("d")], held, reading);
    expect(items.map((one) => one.id)).toEqual(["a", "b", "c", "d"]);
    expect(news).toBe(0);
  });

  it("does not count what we did ourselves", () => {
    expect(calm([row("b", "2", true), row("a"), row("c")], held, reading).news).toBe(0);
  });
});

describe("small things", () => {
  it("the line of unread messages stands above the first of them", () => {
    const message = (id: string, direction: string) => ({ id, direction }) as never;
    const thread = [
      message("5", "inbound"),
      message("4", "outbound"),
      message("3", "inbound"),
      message("2", "inbound"),
    ];
    expect(firstUnread(thread, 2)).toBe("3");
    expect(firstUnread(thread, 0)).toBeUndefined();
    expect(firstUnread(thread, 99)).toBe("2");
  });

  it("bold goes round the selection, and away again", () => {
    const bold = mark("say hello", 4, 9, "*");
    expect(bold).toEqual({ text: "say *hello*", from: 5, to: 10 });
    expect(mark(bold.text, bold.from, bold.to, "*").text).toBe("say hello");
  });
});
