import { Lock, Reply } from "lucide-react";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";

/** Whether what is written goes to the customer, or stays in the house. */
export function WritingTabs({ noting, onNoting }: { noting: boolean; onNoting: (noting: boolean) => void }) {
  const tab = (note: boolean) => (
    <button
      type="button"
      aria-pressed={note === noting}
      data-testid={note ? "tab-note" : "tab-reply"}
      // The field keeps its focus, and on a phone the keyboard stays.
      onPointerDown={(event) => event.preventDefault()}
      onClick={() => onNoting(note)}
      className={cn(
        "press flex h-7 items-center gap-1.5 rounded-full px-2.5 text-12 font-medium pointer-coarse:h-11 pointer-coarse:px-4",
        note === noting
          ? note
            ? "bg-raised text-note-text shadow-card"
            : "bg-selected text-link"
          : noting
            ? "text-note-text hover:bg-raised/60"
            : "text-muted hover:bg-hover hover:text-text",
      )}
    >
      {note ? <Lock size={14} aria-hidden /> : <Reply size={14} aria-hidden className="rtl:-scale-x-100" />}
      {t(note ? "note.note" : "note.reply")}
    </button>
  );
  return (
    <div role="group" aria-label={t("note.tabs")} className="flex gap-1 px-2 pt-2">
      {tab(false)}
      {tab(true)}
    </div>
  );
}
