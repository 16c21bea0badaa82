import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { api, once, onceKey, take } from "~/api/client";
import { people } from "~/api/people";
import { describe } from "~/api/problem";
import type { Conversation } from "~/api/types";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { selectSoon, useGrowth } from "~/ui/textarea";
import { useNarrow } from "~/ui/useNarrow";
import { Counter } from "./Counter";
import { putNote } from "./cache";
import { drafts } from "./drafts";
import { lengthOf, NOTE_LIMIT } from "./limits";
import { asked, completed, found, mentioned } from "./mentions";
import { useSendKey } from "./sendKey";
import { WritingProblem } from "./WritingProblem";

/** What the team writes to itself. The whole card is tinted, so that nobody takes it for a reply; its draft is apart from the reply's. */
export function NoteForm({ conversation, tabs }: { conversation: Conversation; tabs: ReactNode }) {
  const { id, contact } = conversation;
  const draft = `${id}.note`;
  const client = useQueryClient();
  const phone = useNarrow();
  const sends = useSendKey();
  const { data: team = [] } = useQuery(people);
  const [text, setText] = useState(() => drafts.get(draft));
  const [caret, setCaret] = useState(0);
  const [chosen, choose] = useState(0);
  const [closed, close] = useState<number>();
  const form = useRef<HTMLDivElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  /** The note that was tried, with its key: tried again, it is still the same one. */
  const tried = useRef<{ text: string; key: string }>(undefined);
  const list = useId();
  const count = lengthOf(text);
  const ready = text.trim() !== "" && count <= NOTE_LIMIT;

  const naming = asked(text, caret);
  const choices = naming && naming.at !== closed ? found(team, naming.words) : [];
  const current = Math.min(chosen, choices.length - 1);

  const add = useMutation({
    mutationFn: ({ text, key }: { text: string; key: string }) =>
      take(
        api.POST("/api/conversations/{id}/notes", {
          params: { path: { id } },
          headers: once(key),
          body: { body: text.trim(), mentions: mentioned(text, team) },
        }),
      ),
    onSuccess: (note, sent) => {
      putNote(client, note);
      tried.current = undefined;
      // What was written meanwhile is the next note.
      const now = drafts.get(draft);
      if (!now.startsWith(sent.text)) return;
      const next = now.slice(sent.text.length).trimStart();
      const at = Math.max(0, (area.current?.selectionStart ?? 0) - (now.length - next.length));
      write(next, at);
      selectSoon(area.current, at);
    },
    onSettled: () => {
      if (form.current?.contains(document.activeElement)) area.current?.focus();
    },
  });

  function write(next: string, at: number) {
    setText(next);
    setCaret(at);
    choose(0);
    close(undefined);
    drafts.put(draft, next);
  }

  function name(who: string) {
    if (!naming) return;
    const next = completed(text, naming.at, caret, who);
    write(next.text, next.caret);
    area.current?.focus();
    selectSoon(area.current, next.caret);
  }

  useEffect(() => area.current?.focus(), []);
  useGrowth(area, text);

  const save = () => {
    if (!ready || add.isPending) return;
    if (tried.current?.text !== text) tried.current = { text, key: onceKey() };
    add.mutate(tried.current);
    // The button cannot keep the focus while it works.
    area.current?.focus();
  };

  return (
    <div
      ref={form}
      data-testid="note-form"
      className={cn(
        "relative shrink-0 bg-note",
        phone
          ? "border-t border-note-border pb-[max(8px,env(safe-area-inset-bottom))]"
          : "mx-4 mb-3.5 rounded-card border border-note-border shadow-card focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-focus",
      )}
    >
      {choices.length > 0 && (
        <div
          id={list}
          role="listbox"
          aria-label={t("note.colleagues")}
          className="absolute inset-x-2 bottom-full z-20 mb-1 max-h-64 max-w-80 overflow-y-auto rounded-card border border-border bg-raised p-1 shadow-menu"
        >
          {choices.map((one, at) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field below has the keys
            <div
              key={one.id}
              id={`${list}-${at}`}
              role="option"
              tabIndex={-1}
              aria-selected={at === current}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => name(one.name)}
              onPointerMove={() => choose(at)}
              className={cn(
                "flex min-h-9 cursor-default items-center gap-2.5 rounded-control px-2.5 text-13 pointer-coarse:min-h-11",
                at === current && "bg-hover",
              )}
            >
              <Avatar id={one.id} name={one.name} size={24} />
              <span dir="auto" className="min-w-0 truncate">
                {one.name}
              </span>
            </div>
          ))}
        </div>
      )}
      {tabs}
      {add.isError && <WritingProblem text={describe(add.error).detail} />}
      <textarea
        ref={area}
        data-testid="note-text"
        role="combobox"
        aria-label={t("note.label", { who: nameOf(contact) })}
        aria-invalid={count > NOTE_LIMIT || undefined}
        aria-autocomplete="list"
        aria-expanded={choices.length > 0}
        aria-controls={choices.length > 0 ? list : undefined}
        aria-activedescendant={choices.length > 0 ? `${list}-${current}` : undefined}
        rows={2}
        dir={text ? "auto" : undefined}
        value={text}
        placeholder={t("note.placeholder")}
        onChange={(event) => write(event.target.value, event.target.selectionStart)}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          const one = choices[current];
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (one && step) {
            event.preventDefault();
            choose((current + step + choices.length) % choices.length);
          } else if (one && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
            event.preventDefault();
            name(one.name);
          } else if (sends(event)) {
            event.preventDefault();
            save();
          } else if (event.key === "Escape") {
            event.stopPropagation();
            if (one) close(naming?.at);
            else event.currentTarget.blur();
          }
        }}
        className="block w-full resize-none bg-transparent px-3.5 pt-2.5 pb-1 leading-5 text-text outline-none placeholder:text-note-text"
      />
      <div className="flex items-center justify-end gap-2 px-2 pb-2">
        <Counter count={count} limit={NOTE_LIMIT} tone="text-note-text" />
        <Button
          look="filled"
          size="dense"
          data-testid="note-add"
          disabled={!ready}
          busy={add.isPending && t("note.adding")}
          onClick={save}
        >
          {t("note.add")}
        </Button>
      </div>
    </div>
  );
}
