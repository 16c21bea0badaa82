import { useQuery } from "@tanstack/react-query";
import { Lock, Trash2 } from "lucide-react";
import { memo, useState } from "react";
import { people } from "~/api/people";
import { useSession } from "~/api/session";
import { may, type Note } from "~/api/types";
import { clock, moment } from "~/i18n/format";
import { t } from "~/i18n/t";
import { IconButton } from "~/ui/IconButton";
import { part } from "~/ui/part";
import { marked } from "./mentions";

const DeleteNote = part(() => import("./DeleteNote"));

/** What the team wrote to itself, in its place in the thread. */
export const NoteCard = memo(function NoteCard({ note }: { note: Note }) {
  const session = useSession();
  const { data: team = [] } = useQuery(people);
  const [asking, ask] = useState(false);
  const mine = note.author.id === session.user.id;
  const who = mine ? t("author.you") : note.author.name || t("author.user");
  const names = team.filter((one) => note.mentions.includes(one.id)).map((one) => one.name);
  return (
    <div data-testid="note" data-id={note.id} className="group/note flex flex-row-reverse items-center gap-1 pt-2.5">
      <article
        aria-label={t("note.by", { who, at: moment(note.createdAt) })}
        className="max-w-[84%] min-w-0 rounded-control border-s-3 border-note-border bg-note px-3 py-2 break-words phone:max-w-[min(78%,460px)] max-phone:text-15"
      >
        <div className="mb-0.5 flex flex-wrap items-center gap-x-1.5 text-12 text-note-text">
          <Lock size={13} aria-hidden className="shrink-0" />
          <span className="font-strong">{who}</span>
          <span>· {t("note.only")}</span>
        </div>
        <div dir="auto" className="whitespace-pre-wrap at-start">
          {marked(note.body, names).map(({ text, named }, at) =>
            named ? (
              <b key={at} className="font-strong text-note-text">
                {text}
              </b>
            ) : (
              text
            ),
          )}
        </div>
        <div className="text-end text-11 text-note-text tabular-nums">
          <time dateTime={note.createdAt} title={moment(note.createdAt)}>
            {clock(note.createdAt)}
          </time>
        </div>
      </article>
      {(mine || may(session, "admin")) && (
        <IconButton
          label={t("note.delete")}
          icon={<Trash2 size={16} aria-hidden />}
          className="opacity-0 group-focus-within/note:opacity-100 group-hover/note:opacity-100 pointer-coarse:opacity-70"
          onClick={() => ask(true)}
        />
      )}
      {asking && <DeleteNote note={note} onClose={() => ask(false)} />}
    </div>
  );
});
