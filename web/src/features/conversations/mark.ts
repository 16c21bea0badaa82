/** Puts WhatsApp's mark round the selected words, or takes it away. Says what is selected afterwards. */
export function mark(
  text: string,
  from: number,
  to: number,
  sign: "*" | "_",
): { text: string; from: number; to: number } {
  if (text[from - 1] === sign && text[to] === sign)
    return { text: text.slice(0, from - 1) + text.slice(from, to) + text.slice(to + 1), from: from - 1, to: to - 1 };
  return {
    text: text.slice(0, from) + sign + text.slice(from, to) + sign + text.slice(to),
    from: from + 1,
    to: to + 1,
  };
}
