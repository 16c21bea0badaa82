import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "vite";
import { describe, expect, it } from "vitest";

// A text that is not in the catalogue cannot be translated. This reads the source as a compiler does.

const source = join(process.cwd(), "src");
const spoken = new Set(["aria-label", "aria-valuetext", "title", "placeholder", "alt", "label", "text", "hint"]);
const isWords = (text: string) => /\p{L}{2,}/u.test(text);
/** Examples of what is typed, and signs. */
const allowed = /^(\+27[\d ]+|https:\/\/waha\.example\.com)$/;

interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

/** Texts in JSX, in spoken attributes, and in toasts, that stand in the source itself. */
function plainTexts(file: string, code: string): string[] {
  const found: string[] = [];
  const say = (node: Node, text: string) => {
    if (isWords(text) && !allowed.test(text.trim()))
      found.push(`${file}:${code.slice(0, node.start).split("\n").length} ${text.trim()}`);
  };
  const literal = (node: Node | undefined) => {
    if (node?.type === "Literal" && typeof node.value === "string") say(node, node.value);
    if (node?.type === "TemplateLiteral")
      for (const part of node.quasis as { value: { raw: string } }[]) say(node, part.value.raw);
  };
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const one of node) walk(one);
      return;
    }
    if (typeof node !== "object" || !node || !("type" in node)) return;
    const one = node as Node;
    if (one.type === "JSXText") say(one, one.value as string);
    if (one.type === "JSXExpressionContainer") literal(one.expression as Node);
    if (one.type === "JSXAttribute") {
      const value = one.value as Node | undefined;
      const inner = value?.type === "JSXExpressionContainer" ? (value.expression as Node) : value;
      if (spoken.has((one.name as Node).name as string)) literal(inner);
      if (inner?.type !== "Literal" && inner?.type !== "TemplateLiteral") walk(inner);
      return;
    }
    if (one.type === "CallExpression") {
      const callee = one.callee as Node;
      const name = (callee.name ?? ((callee.object as Node | undefined)?.name as string)) as string;
      if (name === "toast") literal((one.arguments as Node[])[0]);
    }
    for (const [key, child] of Object.entries(one)) if (key !== "parent" && key !== "loc") walk(child);
  };
  walk(parseSync(file, code, { lang: "tsx", sourceType: "module" }).program);
  return found;
}

describe("the strings of the screen", () => {
  const files = readdirSync(source, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".tsx") && !name.includes(".test."));

  it("stand in the catalogue, all of them", () => {
    expect(files.length).toBeGreaterThan(40);
    const found = files.flatMap((name) => plainTexts(name, readFileSync(join(source, name), "utf8")));
    expect(found).toEqual([]);
  });

  it("are found where they are not", () => {
    const code = `const a = <p title="Hello there" className="flex">Good day {x ? "one" : t("two")}<b aria-label={\`No \${n}\`} /></p>; toast("Done it");`;
    expect(plainTexts("a.tsx", code).map((one) => one.replace(/^a.tsx:1 /, ""))).toEqual([
      "Hello there",
      "Good day",
      "No",
      "Done it",
    ]);
  });
});
