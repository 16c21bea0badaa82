import { type RefObject, useLayoutEffect } from "react";

type Area = HTMLTextAreaElement | null;

/** A text area grows with its words, up to a third of the window. */
export function useGrowth(area: RefObject<Area>, words: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the words
  useLayoutEffect(() => {
    const box = area.current;
    if (!box) return;
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, innerHeight / 3)}px`;
  }, [area, words]);
}

/** The words with `more` at the caret, in place of what is selected; the caret goes behind it once they are drawn. */
export function insertAtCaret(box: Area, words: string, more: string): string {
  const from = box?.selectionStart ?? words.length;
  const to = box?.selectionEnd ?? from;
  selectSoon(box, from + more.length);
  return words.slice(0, from) + more + words.slice(to);
}

/** Selects once the new words are drawn: drawing them moves the caret to their end. */
export function selectSoon(box: Area, from: number, to = from): void {
  requestAnimationFrame(() => box?.setSelectionRange(from, to));
}
