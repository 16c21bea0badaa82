import type { RefObject } from "react";
import type { Conversation } from "~/api/types";
import { firstNameOf, nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { selectSoon, useGrowth } from "~/ui/textarea";
import { useNarrow } from "~/ui/useNarrow";
import { mark } from "./mark";
import { useSendKey } from "./sendKey";

interface Props {
  area: RefObject<HTMLTextAreaElement | null>;
  words: string;
  /** Whom it goes to. */
  who: Conversation["contact"];
  /** The file below which the words will stand. */
  captionOf: string | undefined;
  /** The words are too many. */
  invalid: boolean;
  onType: (words: string) => void;
  /** Marks were put round the words. */
  onMark: (words: string) => void;
  onSend: () => void;
  onFiles: (files: File[]) => void;
  /** True when there was something to give up; else the field is left. */
  onEscape: () => boolean;
  onFocus: (() => void) | undefined;
}

/** The field in which a message is written: grows, takes pasted files, and knows the keys that send and mark. */
export function MessageField({
  area,
  words,
  who,
  captionOf,
  invalid,
  onType,
  onMark,
  onSend,
  onFiles,
  onEscape,
  onFocus,
}: Props) {
  const phone = useNarrow();
  const sends = useSendKey();
  useGrowth(area, words);
  return (
    <textarea
      ref={area}
      data-testid="composer"
      aria-label={captionOf ? t("composer.captionFor", { name: captionOf }) : t("composer.label", { who: nameOf(who) })}
      aria-invalid={invalid || undefined}
      rows={1}
      // The placeholder is ours, the words are the writer's.
      dir={words ? "auto" : undefined}
      value={words}
      placeholder={
        captionOf
          ? t("composer.caption")
          : phone
            ? t("composer.short")
            : t("composer.placeholder", { who: firstNameOf(who) })
      }
      onFocus={onFocus}
      onChange={(event) => onType(event.target.value)}
      onPaste={(event) => {
        const pasted = [...event.clipboardData.files];
        if (pasted.length === 0) return;
        event.preventDefault();
        onFiles(pasted);
      }}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        const box = event.currentTarget;
        if (sends(event)) {
          event.preventDefault();
          onSend();
        } else if ((event.ctrlKey || event.metaKey) && (event.key === "b" || event.key === "i")) {
          event.preventDefault();
          const next = mark(words, box.selectionStart, box.selectionEnd, event.key === "b" ? "*" : "_");
          onMark(next.text);
          selectSoon(box, next.from, next.to);
        } else if (event.key === "Escape") {
          if (!onEscape()) box.blur();
          event.stopPropagation();
        }
      }}
      className={cn(
        "block w-full resize-none bg-transparent text-text outline-none placeholder:text-muted",
        phone ? "max-h-40 py-2.5 ps-4 leading-6" : "px-3.5 pt-2.5 pb-1 leading-5",
      )}
    />
  );
}
