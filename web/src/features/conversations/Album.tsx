import { Download, ImageOff, Play, Smartphone } from "lucide-react";
import { memo, useRef, useState } from "react";
import type { MessageState } from "~/api/types";
import { clock, moment } from "~/i18n/format";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { MoreButton } from "~/ui/MoreButton";
import { Tick } from "~/ui/Tick";
import { useLongPress } from "~/ui/useLongPress";
import { authorName } from "./Bubble";
import { kindName } from "./kinds";
import { type BubbleActions, MessageMenu } from "./MessageMenu";
import { Trouble } from "./Trouble";
import type { Entry } from "./thread";

/** So many are shown; the last of them says how many more there are. */
const SHOWN = 4;
/** What needs somebody comes first, then what is furthest behind. */
const worst: readonly MessageState[] = [
  "failed",
  "unknown",
  "cancelled",
  "queued",
  "sending",
  "sent",
  "delivered",
  "read",
];
const leastOf = (entries: Entry[]): MessageState =>
  worst.find((state) => entries.some((one) => one.message.state === state)) ?? "received";

/** One of the pictures: opens large, and has its own menu. `rest`: itself and those that it stands for. */
function Tile({
  rest,
  at,
  total,
  state,
  actions,
  className,
}: {
  rest: Entry[];
  at: number;
  total: number;
  /** Shown on it, where not all are in the same state. */
  state: MessageState | undefined;
  actions: BubbleActions;
  className: string | undefined;
}) {
  const [broken, setBroken] = useState(false);
  const openMenu = useRef<() => void>(null);
  const entry = rest[0] as Entry;
  const { message, outgoing } = entry;
  const { media, kind } = message;
  const press = useLongPress(outgoing ? undefined : () => openMenu.current?.());
  const ready = media?.state === "ready" && media.url && !broken;
  const more = rest.length - 1;
  const failed = media?.state === "failed" || broken;
  return (
    <div
      data-testid="message"
      data-id={message.id}
      data-state={message.state}
      data-direction={message.direction}
      {...press}
      className={cn("group/tile relative min-h-0 min-w-0 bg-well", className)}
    >
      <button
        type="button"
        disabled={!ready}
        aria-label={
          more
            ? t("album.openMore", { n: more })
            : ready
              ? t("album.open", { kind: kindName(kind), at: at + 1, total })
              : t(failed ? "media.failed" : "media.pending", { kind: kindName(kind) })
        }
        onClick={() => actions.onOpen(entry)}
        className="grid size-full place-items-center text-muted focus-visible:-outline-offset-3"
      >
        {!ready || !media ? (
          failed ? (
            <ImageOff size={20} aria-hidden />
          ) : (
            <Download size={20} aria-hidden />
          )
        ) : kind === "video" ? (
          <video
            src={media.url}
            preload="metadata"
            muted
            tabIndex={-1}
            className="absolute inset-0 size-full object-cover"
          />
        ) : (
          <img
            src={media.url}
            alt=""
            loading="lazy"
            decoding="async"
            onError={() => setBroken(true)}
            className="absolute inset-0 size-full object-cover"
          />
        )}
        {more > 0 ? (
          <span className="absolute inset-0 grid place-items-center bg-photo-scrim text-22 font-strong text-on-photo tabular-nums">
            {t("album.more", { n: more })}
          </span>
        ) : (
          ready &&
          kind === "video" && (
            <span className="relative grid size-10 place-items-center rounded-full bg-photo-scrim text-on-photo">
              <Play size={18} aria-hidden />
            </span>
          )
        )}
      </button>
      {state && (
        <span className="pointer-events-none absolute end-1 bottom-1 rounded-full bg-bubble-out px-1 py-0.5 text-muted">
          <Tick state={state} at={message.readAt} />
        </span>
      )}
      {!outgoing && (
        <span className="absolute end-1 top-1 rounded-full bg-raised opacity-0 group-focus-within/tile:opacity-100 group-hover/tile:opacity-100 has-aria-expanded:opacity-100 pointer-coarse:bg-photo-scrim pointer-coarse:opacity-100">
          <MessageMenu
            entry={entry}
            actions={actions}
            opener={openMenu}
            trigger={
              <MoreButton
                label={t("message.menu")}
                data-testid="message-menu"
                className="pointer-coarse:size-6! pointer-coarse:text-on-photo!"
              />
            }
          />
        </span>
      )}
      {rest.slice(1).map((one) => (
        <span key={one.key} data-id={one.message.id} />
      ))}
    </div>
  );
}

/** Pictures and films that were sent one after the other: one grid, in which each keeps its own state and its own menu. */
export const Album = memo(function Album({
  entry,
  contact,
  user,
  actions,
}: {
  entry: Entry & { album: Entry[] };
  contact: string;
  user: string;
  actions: BubbleActions;
}) {
  const { album, first, last } = entry;
  const { message } = entry;
  const newest = (album.at(-1) as Entry).message;
  const out = message.direction === "outbound";
  const who = out ? authorName(message, user) : contact;
  const shown = album.slice(0, SHOWN);
  const alike = album.every((one) => one.message.state === message.state);
  return (
    <div className={cn("flex flex-col", first ? "pt-2.5" : "pt-[3px]", out && "items-end")}>
      <article
        data-testid="album"
        aria-label={t("album.by", { n: album.length, who, at: moment(message.createdAt) })}
        className={cn(
          "w-80 max-w-[84%] rounded-[14px] p-1.5 pointer-coarse:select-none pointer-coarse:[-webkit-touch-callout:none]",
          out ? "bg-bubble-out" : "bg-bubble-in shadow-[inset_0_0_0_1px_var(--bubble-edge)]",
          last && (out ? "rounded-ee-[4px]" : "rounded-es-[4px]"),
        )}
      >
        {first && out && (
          <div className="mb-1 flex items-center gap-1.25 px-1.5 text-12 font-strong text-link">
            {message.author.kind === "phone" && <Smartphone size={13} aria-hidden />}
            {who}
          </div>
        )}
        <div
          className={cn(
            "grid gap-[3px] overflow-hidden rounded-[10px]",
            shown.length === 2 && "aspect-2/1 grid-cols-2",
            shown.length === 3 && "aspect-3/2 grid-cols-3 grid-rows-2",
            shown.length === 4 && "aspect-square grid-cols-2 grid-rows-2",
          )}
        >
          {shown.map((one, at) => {
            const rest = at === SHOWN - 1 ? album.slice(at) : [one];
            return (
              <Tile
                key={one.key}
                rest={rest}
                at={at}
                total={album.length}
                state={alike || !out ? undefined : leastOf(rest)}
                actions={actions}
                className={shown.length === 3 && at === 0 ? "col-span-2 row-span-2" : undefined}
              />
            );
          })}
        </div>
        <span className="flex items-center justify-end gap-[3px] px-1.5 pt-1 text-11 text-muted tabular-nums">
          <time dateTime={newest.createdAt} title={moment(newest.createdAt)}>
            {clock(newest.createdAt)}
          </time>
          {out && alike && <Tick state={message.state} at={newest.readAt} />}
        </span>
      </article>
      {album.map(
        (one, at) =>
          (one.message.state === "failed" || one.message.state === "unknown") && (
            <div key={one.key} className="flex max-w-full flex-wrap items-baseline justify-end gap-x-1.5 text-12">
              <span className="text-muted">{t("album.nth", { at: at + 1, total: album.length })}</span>
              <Trouble entry={one} onAct={actions.onAct} onEdit={actions.onEdit} onDrop={actions.onDrop} />
            </div>
          ),
      )}
    </div>
  );
});
