import type { User } from "~/api/types";

/** What is being typed after an @ just before the caret, and where the @ stands. */
export function asked(text: string, caret: number): { words: string; at: number } | undefined {
  const found = /(?:^|\s)@([\p{L}\p{N}.'’-]*)$/u.exec(text.slice(0, caret));
  return found?.[1] === undefined ? undefined : { words: found[1], at: caret - found[1].length - 1 };
}

/** Whose name, or a word of it, begins so. */
export function found(team: readonly User[], words: string): User[] {
  const low = words.toLowerCase();
  return team.filter((one) => ` ${one.name.toLowerCase()}`.includes(` ${low}`)).slice(0, 8);
}

/** The whole name in place of what was typed; the caret behind it. */
export function completed(text: string, at: number, caret: number, name: string): { text: string; caret: number } {
  const head = `${text.slice(0, at)}@${name} `;
  return { text: head + text.slice(caret).replace(/^ /, ""), caret: head.length };
}

/** Longer names first: "@Thandi Nkosi" is not "@Thandi". */
const pattern = (names: readonly string[]): RegExp =>
  new RegExp(
    `@(?:${[...names]
      .sort((a, b) => b.length - a.length)
      .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("|")})(?![\\p{L}\\p{N}])`,
    "gu",
  );

/** A note in pieces: those that name somebody, and the rest. */
export function marked(text: string, names: readonly string[]): { text: string; named: boolean }[] {
  if (names.length === 0) return [{ text, named: false }];
  const pieces: { text: string; named: boolean }[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern(names))) {
    pieces.push({ text: text.slice(end, match.index), named: false }, { text: match[0], named: true });
    end = match.index + match[0].length;
  }
  pieces.push({ text: text.slice(end), named: false });
  return pieces.filter((one) => one.text !== "");
}

/** Whom a text names. */
export function mentioned(text: string, team: readonly User[]): string[] {
  if (team.length === 0) return [];
  const said = new Set([...text.matchAll(pattern(team.map((one) => one.name)))].map(([name]) => name.slice(1)));
  return team.filter((one) => said.has(one.name)).map((one) => one.id);
}
