import { Fragment, memo, type ReactNode } from "react";

/** A piece of a message in WhatsApp's own formatting. */
export type Piece =
  | { is: "text"; text: string }
  | { is: "link"; text: string; href: string }
  | { is: "bold" | "italic" | "strike"; of: Piece[] }
  | { is: "code"; text: string };

export type Block =
  | { is: "line"; of: Piece[] }
  | { is: "quote"; of: Piece[] }
  | { is: "item"; of: Piece[]; number?: number }
  | { is: "block"; text: string };

const marks = { "*": "bold", _: "italic", "~": "strike" } as const;
const LINK = /\b(?:https?:\/\/|www\.)[^\s<>"']+[^\s<>"'.,;:!?)\]}*_~]|\b[\w.+-]+@[\w-]+\.[\w.-]*\w/giu;
const isWord = (letter: string | undefined): boolean => !!letter && /[\p{L}\p{N}]/u.test(letter);

function links(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const found = match[0];
    if (match.index > from) pieces.push({ is: "text", text: text.slice(from, match.index) });
    const href = found.includes("://") ? found : /^www\./i.test(found) ? `https://${found}` : `mailto:${found}`;
    pieces.push({ is: "link", text: found, href });
    from = match.index + found.length;
  }
  if (from < text.length) pieces.push({ is: "text", text: text.slice(from) });
  return pieces;
}

/** `*bold*`, `_italic_`, `~struck~` and `` `code` `` of one line. A mark counts only at the edge of a word, as on the phone. */
export function pieces(line: string): Piece[] {
  // Marks inside an address belong to the address.
  const addresses = [...line.matchAll(LINK)].map((match) => [match.index, match.index + match[0].length] as const);
  const inAddress = (at: number) => addresses.find(([from, to]) => at > from && at < to)?.[1];
  const made: Piece[] = [];
  let plain = 0;
  for (let at = 0; at < line.length; at += 1) {
    const skip = inAddress(at);
    if (skip) {
      at = skip - 1;
      continue;
    }
    const mark = line[at] as string;
    const style = mark === "`" ? "code" : marks[mark as keyof typeof marks];
    if (!style || isWord(line[at - 1]) || !line[at + 1]?.trim()) continue;
    let end = line.indexOf(mark, at + 1);
    while (end > 0 && (isWord(line[end + 1]) || !line[end - 1]?.trim() || end === at + 1))
      end = line.indexOf(mark, end + 1);
    if (end < 0) continue;
    if (at > plain) made.push(...links(line.slice(plain, at)));
    const inner = line.slice(at + 1, end);
    made.push(style === "code" ? { is: "code", text: inner } : { is: style, of: pieces(inner) });
    at = end;
    plain = end + 1;
  }
  if (plain < line.length) made.push(...links(line.slice(plain)));
  return made;
}

/** A message's text in blocks: lines, quotes, list items, and ```fenced``` code. */
export function blocks(text: string): Block[] {
  const made: Block[] = [];
  for (const [at, part] of text.split("```").entries()) {
    if (at % 2 && text.split("```").length > at + 1) {
      made.push({ is: "block", text: part.replace(/^\n|\n$/g, "") });
      continue;
    }
    const lines = (at % 2 ? `\`\`\`${part}` : at ? part.replace(/^\n/, "") : part).split("\n");
    if (at % 2 === 0 && lines.at(-1) === "" && lines.length > 1) lines.pop();
    if (at > 0 && lines.length === 1 && lines[0] === "") continue;
    for (const line of lines) {
      const item = /^(?:[*-]|(\d{1,3})\.) (.*)$/u.exec(line);
      if (line.startsWith("> ")) made.push({ is: "quote", of: pieces(line.slice(2)) });
      else if (item) made.push({ is: "item", of: pieces(item[2] ?? ""), ...(item[1] && { number: Number(item[1]) }) });
      else made.push({ is: "line", of: pieces(line) });
    }
  }
  return made;
}

const bare = (of: Piece[]): string => of.map((piece) => ("of" in piece ? bare(piece.of) : piece.text)).join("");

/** The words alone, for a preview of one line: "Hello there" for "Hello *there*". */
export const plain = (text: string): string =>
  /[*_~`>]/.test(text)
    ? blocks(text)
        .map((block) => (block.is === "block" ? block.text : bare(block.of)))
        .join(" ")
    : text;

function draw(of: Piece[]): ReactNode {
  return of.map((piece, at) => {
    const key = at;
    switch (piece.is) {
      case "text":
        return <Fragment key={key}>{piece.text}</Fragment>;
      case "link":
        return (
          <a
            key={key}
            href={piece.href}
            target="_blank"
            rel="noopener noreferrer"
            className="text-link underline underline-offset-2"
          >
            {piece.text}
          </a>
        );
      case "code":
        return (
          <code key={key} className="code rounded-small bg-well/60 px-1 text-13">
            {piece.text}
          </code>
        );
      case "bold":
        return (
          <b key={key} className="font-strong">
            {draw(piece.of)}
          </b>
        );
      case "italic":
        return <i key={key}>{draw(piece.of)}</i>;
      default:
        return <s key={key}>{draw(piece.of)}</s>;
    }
  });
}

const ONLY_EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\u{FE0F}|\u{200D}\p{Extended_Pictographic}|\p{Emoji_Modifier})*|\p{Regional_Indicator}{2}|\s){1,6}$/u;

/** The words of a message, as the phone shows them. */
export const Formatted = memo(function Formatted({ text }: { text: string }) {
  if (text.length < 24 && ONLY_EMOJI.test(text)) return <span className="text-28">{text}</span>;
  return blocks(text).map((block, at, all) => {
    const key = at;
    switch (block.is) {
      case "block":
        return (
          <pre
            key={key}
            className="code my-1 overflow-x-auto rounded-small bg-well/60 px-2 py-1 text-13 whitespace-pre-wrap"
          >
            {block.text}
          </pre>
        );
      case "quote":
        return (
          <div key={key} className="border-s-2 border-control ps-2 text-muted">
            {draw(block.of)}
          </div>
        );
      case "item":
        return (
          <div key={key} className="flex gap-2">
            <span className="tabular-nums">{block.number === undefined ? "•" : `${block.number}.`}</span>
            <span className="min-w-0 flex-1">{draw(block.of)}</span>
          </div>
        );
      default:
        // Lines stay in the run of the text, so that the time can stand at the end of the last one.
        return (
          <Fragment key={key}>
            {at > 0 && all[at - 1]?.is === "line" && "\n"}
            {draw(block.of)}
          </Fragment>
        );
    }
  });
});
