import { createRequire } from "node:module";
import type { Plugin } from "vite";

/** One emoji of the picker: the character, what it is called, and words to find it by. */
export type Emoji = [character: string, label: string, tags: string];

interface Source {
  unicode: string;
  label: string;
  tags?: string[];
  group?: number;
  order?: number;
}

/**
 * The emoji picker's data as the module `virtual:emoji`: groups in the order of Unicode, in a fifth of the size of the
 * package it is made from. Skin tones are left out: the phone's own picker offers them.
 */
export function emoji(): Plugin {
  const id = "virtual:emoji";
  return {
    name: "indaba-emoji",
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(source) {
      if (source !== `\0${id}`) return;
      const all = createRequire(import.meta.url)("emojibase-data/en/compact.json") as Source[];
      const groups: Emoji[][] = [];
      for (const one of all.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0))) {
        // Group 2 is components (skin tones, hair), not emoji of their own.
        if (one.group === undefined || one.group === 2) continue;
        groups[one.group] ??= [];
        groups[one.group]?.push([one.unicode, one.label, (one.tags ?? []).join(" ")]);
      }
      return `export default ${JSON.stringify(groups.filter(Boolean))}`;
    },
  };
}
