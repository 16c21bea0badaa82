import { Search, X } from "lucide-react";
import { useRef } from "react";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { inputDense } from "~/ui/Field";
import { useKeys } from "../keyboard";

interface Props {
  words: string;
  onWords: (words: string) => void;
  /** It lies on the cloth at the head of a phone. */
  phone: boolean;
}

/** Looks for messages and contacts in place of the list. / goes to it, Escape empties it and then leaves it. */
export function SearchBox({ words, onWords, phone }: Props) {
  const box = useRef<HTMLInputElement>(null);
  const tone = phone ? "text-rail-text" : "text-muted";
  useKeys({ "/": () => box.current?.focus() });
  return (
    <div className="relative min-w-0 flex-1">
      <Search
        size={16}
        aria-hidden
        className={cn("pointer-events-none absolute start-3 top-1/2 -translate-y-1/2", tone)}
      />
      <input
        ref={box}
        type="search"
        data-testid="search"
        aria-label={t("inbox.search")}
        placeholder={t("inbox.search")}
        value={words}
        onChange={(event) => onWords(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          if (words) onWords("");
          else event.currentTarget.blur();
        }}
        className={cn(
          phone
            ? "h-11 w-full rounded-full bg-rail-hover ps-10 pe-10 text-rail-strong placeholder:text-rail-text"
            : `${inputDense} w-full ps-9 pe-8`,
          "[&::-webkit-search-cancel-button]:hidden",
        )}
      />
      {words ? (
        <button
          type="button"
          aria-label={t("inbox.clearSearch")}
          onClick={() => onWords("")}
          className={cn("absolute inset-y-0 end-0 grid w-8 place-items-center", tone)}
        >
          <X size={16} aria-hidden />
        </button>
      ) : (
        !phone && (
          <span
            aria-hidden="true"
            className="pointer-events-none absolute end-2 top-1/2 -translate-y-1/2 rounded-small border border-border bg-surface px-1.25 font-sans text-11 text-muted"
          >
            /
          </span>
        )
      )}
    </div>
  );
}
