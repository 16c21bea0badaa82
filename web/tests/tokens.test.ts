import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

// The promise of the look: words 4.5:1 and controls 3:1 on the worst ground that they may stand on, in both themes.

const at = (path: string) => join(process.cwd(), "src", path);
const css = readFileSync(at("app/tokens.css"), "utf8");

function theme(name: "light" | "dark"): Record<string, string> {
  const block = new RegExp(`\\[data-theme="${name}"\\]\\s*\\{([^}]*)\\}`).exec(css)?.[1] ?? "";
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((match) => [match[1], match[2]]));
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((from) => {
    const value = Number.parseInt(hex.slice(from, from + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const grounds = ["background", "surface", "raised", "hover", "selected"];
const words: Record<string, string[]> = {
  text: [...grounds, "well", "bubble-in", "bubble-out", "bubble-ai", "note"],
  "text-muted": [...grounds, "bubble-in", "bubble-out", "bubble-ai"],
  "primary-text": [...grounds, "primary-tint", "bubble-out"],
  "on-primary": ["primary", "primary-hover"],
  ember: [...grounds, "ember-tint"],
  "on-ember": ["ember-fill"],
  success: ["surface", "raised", "success-tint"],
  "warning-text": ["background", "surface", "raised", "warning-tint"],
  danger: ["background", "surface", "raised", "danger-tint"],
  "on-danger": ["danger"],
  info: ["surface", "raised", "info-tint", "bubble-ai"],
  "note-text": ["note"],
  "rail-text": ["rail", "rail-hover"],
  "rail-text-strong": ["rail", "rail-hover", "rail-active"],
  "on-tone-1": ["tone-1"],
  "on-tone-2": ["tone-2"],
  "on-tone-3": ["tone-3"],
  "on-tone-4": ["tone-4"],
};
const controls: Record<string, string[]> = {
  "border-control": ["background", "surface", "raised"],
  primary: ["background", "surface", "raised", "selected"],
  focus: [...grounds, "bubble-out"],
  warning: ["surface", "raised"],
  "ember-fill": ["rail"],
  "note-border": ["note"],
  ...Object.fromEntries(
    ["stone", "indigo", "petrol", "leaf", "amber", "rose", "plum"].map((name) => [`label-${name}`, grounds]),
  ),
};

describe.each(["light", "dark"] as const)("the tokens, %s", (name) => {
  const tokens = theme(name);
  for (const [kind, pairs, least] of [
    ["words", words, 4.5],
    ["controls", controls, 3],
  ] as const)
    it(`keep ${kind} apart from their grounds by ${least}:1`, () => {
      const weak = Object.entries(pairs).flatMap(([ink, on]) =>
        on
          .map((ground) => ({
            pair: `${ink} on ${ground}`,
            ratio: contrast(tokens[ink] ?? "#000000", tokens[ground] ?? "#000000"),
          }))
          .filter(({ ratio }) => ratio < least),
      );
      expect(weak).toEqual([]);
    });

  it("has every colour that the other theme has", () => {
    expect(Object.keys(tokens).sort()).toEqual(Object.keys(theme(name === "light" ? "dark" : "light")).sort());
  });
});

describe("colours", () => {
  it("are written in the tokens and nowhere else", () => {
    const files = readdirSync(at(""), { recursive: true })
      .map(String)
      .filter((name) => /\.(tsx?|css)$/.test(name) && !/tokens\.css|\.test\./.test(name));
    const found = files.flatMap((name) =>
      [...readFileSync(at(name), "utf8").matchAll(/#[0-9a-f]{3,8}\b(?!["`]?[)\s]*\{)|\brgba?\(/gi)].map(
        (match) => `${name}: ${match[0]}`,
      ),
    );
    // Links within the page are not colours.
    expect(found.filter((one) => !/#(content|000)\b/.test(one) || /#000_/.test(one))).toEqual([]);
  });
});
