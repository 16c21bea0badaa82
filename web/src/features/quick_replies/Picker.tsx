import { useQuery } from "@tanstack/react-query";
import { Paperclip, Settings2 } from "lucide-react";
import { useId, useLayoutEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { describe } from "~/api/problem";
import type { QuickReply } from "~/api/types";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { inputDense } from "~/ui/Field";
import { useCursor } from "~/ui/useCursor";
import { usePressOutside } from "~/ui/usePressOutside";
import { quickReplies, search } from "./queries";
import { fill, type Known } from "./variables";

interface Props {
  known: Known;
  /** What was typed behind the / while this was on its way. */
  begun: string;
  /** It is there, and has taken over what was typed. */
  onShown: () => void;
  onPick: (reply: QuickReply, text: string) => void;
  /** `typed`: what was searched for, when it was left without a choice: nothing that was typed is lost. */
  onClose: (typed?: string) => void;
}

/** Quick replies by shortcut or by their words, each as it will be sent. Arrows move, Enter takes, Escape closes. */
export default function Picker({ known, begun, onShown, onPick, onClose }: Props) {
  const query = useQuery(quickReplies);
  const [words, setWords] = useState(begun);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const shown = search(query.data ?? [], words);
  const { at, set: setAt, move } = useCursor(box, shown.length);
  const chosen = shown[at];
  const filled = chosen && fill(chosen.body, known);

  const shownNow = useRef(onShown);
  useLayoutEffect(() => shownNow.current(), []);
  usePressOutside(box, () => onClose(words || undefined));

  const take = (one: QuickReply | undefined) => one && onPick(one, fill(one.body, known).text);

  return (
    <div
      ref={box}
      role="dialog"
      aria-label={t("quick.title")}
      data-testid="quick-replies"
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[event.key];
        if (step) {
          event.preventDefault();
          move(step);
        } else if (event.key === "Escape") {
          event.stopPropagation();
          onClose(words);
        } else if (event.key === "Backspace" && words === "") {
          event.preventDefault();
          onClose();
        } else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && chosen) {
          event.preventDefault();
          take(chosen);
        }
      }}
      className="appear absolute inset-x-2 bottom-full z-20 mb-2 flex max-h-[min(26rem,60dvh)] max-w-160 flex-col rounded-card border border-border bg-raised p-2 shadow-menu"
    >
      <div className="flex items-center gap-1">
        <input
          autoFocus
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            setAt(0);
          }}
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={chosen && `${id}-${at}`}
          aria-label={t("quick.search")}
          placeholder={t("quick.search")}
          className={`${inputDense} min-w-0 flex-1`}
        />
        <Link
          to="/settings/quick-replies"
          aria-label={t("quick.manage")}
          title={t("quick.manage")}
          className="press grid size-8 shrink-0 place-items-center rounded-control text-muted hover:bg-hover hover:text-text pointer-coarse:size-11"
        >
          <Settings2 size={16} aria-hidden />
        </Link>
      </div>
      <div className="mt-1.5 flex min-h-0 flex-col gap-2 phone:flex-row">
        <div
          id={`${id}-list`}
          role="listbox"
          aria-label={t("quick.title")}
          tabIndex={-1}
          className="min-h-0 max-h-52 overflow-y-auto phone:max-h-72 phone:w-1/2"
        >
          {shown.map((one, index) => (
            <button
              key={one.id}
              id={`${id}-${index}`}
              type="button"
              role="option"
              aria-selected={index === at}
              data-at={index}
              tabIndex={-1}
              onPointerMove={() => index !== at && setAt(index)}
              onClick={() => take(one)}
              className={cn(
                "flex w-full items-center gap-2 rounded-control px-2 py-1.5 text-start text-13 pointer-coarse:min-h-11",
                index === at && "bg-selected",
              )}
            >
              <bdi className="shrink-0 font-medium text-link">/{one.shortcut}</bdi>
              <bdi className="min-w-0 flex-1 truncate">{one.title}</bdi>
              {one.media && <Paperclip size={14} className="shrink-0 text-muted" aria-hidden />}
            </button>
          ))}
          {shown.length === 0 && (
            <p className="px-2 py-4 text-13 text-muted" role="status">
              {query.isError
                ? describe(query.error).detail
                : query.isPending
                  ? t("state.loading")
                  : query.data.length === 0
                    ? t("quick.empty")
                    : t("quick.none", { words })}
            </p>
          )}
          {query.data?.length === 0 && (
            <Link
              to="/settings/quick-replies"
              className="mx-2 inline-block pb-3 text-13 font-medium text-link underline-offset-3 hover:underline"
            >
              {t("quick.new")}
            </Link>
          )}
        </div>
        {chosen && filled && (
          <div
            aria-live="polite"
            className="min-h-0 overflow-y-auto rounded-control bg-bubble-out px-3 py-2 text-13 max-phone:max-h-28 phone:w-1/2"
            data-testid="quick-preview"
          >
            {chosen.media && (
              <p className="mb-1 flex items-center gap-1.5 text-12 text-muted">
                <Paperclip size={14} aria-hidden />
                <bdi className="truncate">{chosen.media.name || t("kind.document")}</bdi>
              </p>
            )}
            <p dir="auto" className="break-words whitespace-pre-wrap">
              {filled.text}
            </p>
            {filled.missing.length > 0 && (
              <p className="mt-1.5 text-12 text-warning-text">
                {t("quick.missing", { names: filled.missing.join(", ") })}
              </p>
            )}
          </div>
        )}
      </div>
    </div>
  );
}
