import groups from "virtual:emoji";
import { useMemo, useRef, useState } from "react";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { inputDense } from "~/ui/Field";
import { useCursor } from "~/ui/useCursor";
import { usePressOutside } from "~/ui/usePressOutside";

const COLUMNS = 8;
const titles = ["🙂", "👋", "🐻", "🍎", "🚗", "⚽", "💡", "🔣", "🏳️"];
const names = [
  "emoji.smileys",
  "emoji.people",
  "emoji.nature",
  "emoji.food",
  "emoji.travel",
  "emoji.activities",
  "emoji.objects",
  "emoji.symbols",
  "emoji.flags",
] as const;

/** Every emoji, by group or by word. Arrows move, Enter takes, Esc closes. */
export default function EmojiPicker({ onPick, onClose }: { onPick: (emoji: string) => void; onClose: () => void }) {
  const [words, setWords] = useState("");
  const [group, setGroup] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => {
    const term = words.trim().toLowerCase();
    if (!term) return groups[group] ?? [];
    return groups
      .flat()
      .filter(([, label, tags]) => label.includes(term) || tags.includes(term))
      .slice(0, 160);
  }, [words, group]);

  const { at, set: setAt, move } = useCursor(box, shown.length);
  usePressOutside(box, onClose);

  return (
    <div
      ref={box}
      role="dialog"
      data-state="open"
      aria-label={t("emoji.title")}
      data-testid="emoji-picker"
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          return onClose();
        }
        const onward = document.dir === "rtl" ? -1 : 1;
        const step = { ArrowRight: onward, ArrowLeft: -onward, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
        if (step) {
          event.preventDefault();
          move(step);
        }
        if (event.key === "Enter") {
          event.preventDefault();
          const one = shown[at];
          if (one) onPick(one[0]);
        }
      }}
      className="appear absolute start-2 bottom-full z-20 mb-2 w-80 rounded-card border border-border bg-raised p-2 shadow-menu"
    >
      <input
        autoFocus
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setAt(0);
        }}
        placeholder={t("emoji.search")}
        aria-label={t("emoji.search")}
        className={`${inputDense} w-full`}
      />
      {!words && (
        <div className="mt-1.5 flex justify-between" role="tablist" aria-label={t("emoji.groups")}>
          {groups.map((_, index) => (
            <button
              key={names[index]}
              type="button"
              role="tab"
              aria-selected={index === group}
              aria-label={t(names[index] ?? "emoji.symbols")}
              tabIndex={-1}
              onClick={() => {
                setGroup(index);
                setAt(0);
              }}
              className={cn(
                "grid size-8 place-items-center rounded-control text-16 hover:bg-hover",
                index === group && "bg-selected",
              )}
            >
              {titles[index]}
            </button>
          ))}
        </div>
      )}
      <div
        className="mt-1.5 grid h-52 grid-cols-8 content-start overflow-y-auto"
        role="listbox"
        aria-label={t("emoji.title")}
        tabIndex={-1}
      >
        {shown.map(([character, label], index) => (
          <button
            key={character}
            type="button"
            role="option"
            aria-selected={index === at}
            aria-label={label}
            title={label}
            data-at={index}
            tabIndex={-1}
            onClick={() => onPick(character)}
            className={cn(
              "grid h-9 place-items-center rounded-control text-22 hover:bg-hover",
              index === at && "bg-selected",
            )}
          >
            {character}
          </button>
        ))}
        {shown.length === 0 && (
          <p className="col-span-8 py-6 text-center text-13 text-muted">{t("emoji.none", { words })}</p>
        )}
      </div>
    </div>
  );
}
