import type { ReactNode } from "react";
import { cn } from "./cn";

const tones = [
  "bg-tone-1 text-on-tone-1",
  "bg-tone-2 text-on-tone-2",
  "bg-tone-3 text-on-tone-3",
  "bg-tone-4 text-on-tone-4",
] as const;

const sizes = {
  20: "size-5 text-10",
  24: "size-6 text-10",
  28: "size-7 text-11",
  32: "size-8 text-12",
  40: "size-10 text-14",
  48: "size-12 text-16",
  56: "size-14 text-18",
};

/** The first letters of the first and last word; a number has none. */
export function initials(name: string): string {
  const words = name.split(/[\s\-_.]+/).filter((word) => /^\p{L}/u.test(word));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...(word ?? "")][0]?.toLocaleUpperCase() ?? "").join("");
}

function tone(id: string): string {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return tones[sum % tones.length] ?? tones[0];
}

/** A face without a face: initials on a tone that means nothing. `id` chooses the tone, so that it stays the same. */
export function Avatar({
  id,
  name,
  size = 40,
  icon,
  className,
}: {
  id: string;
  name: string;
  size?: keyof typeof sizes;
  icon?: ReactNode;
  className?: string;
}) {
  return (
    <span
      aria-hidden="true"
      // Drawn, not written: letters here would have to be part of the name of every button around them.
      data-initials={icon ? "" : initials(name) || "#"}
      className={cn(
        "grid shrink-0 place-items-center rounded-full font-strong before:content-[attr(data-initials)]",
        icon && "before:hidden",
        sizes[size],
        className ?? tone(id),
      )}
    >
      {icon}
    </span>
  );
}
