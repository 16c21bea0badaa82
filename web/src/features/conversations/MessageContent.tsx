import { useQueryClient } from "@tanstack/react-query";
import {
  Copy,
  Download,
  ExternalLink,
  FileText,
  ImageOff,
  MapPin,
  MousePointerClick,
  Phone,
  PhoneMissed,
  ShoppingBag,
  UserPlus,
} from "lucide-react";
import { useState } from "react";
import type { Media, Message } from "~/api/types";
import { money, phone, size } from "~/i18n/format";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { copy } from "~/ui/copy";
import { When } from "~/ui/When";
import { AudioPlayer } from "./AudioPlayer";
import { known } from "./cache";
import { basket, below, call, cards, choices, place, poll, preview, rawKind, type Vote } from "./content";
import { Formatted } from "./format";
import { kindName } from "./kinds";

/** A box of the picture's own shape, kept before the picture is there. */
function box(media: Media, widest: number): { width: number; height: number } {
  const width = media.width || 4;
  const height = media.height || 3;
  const scale = Math.min(widest / width, 320 / height);
  return { width: Math.max(120, Math.round(width * scale)), height: Math.max(80, Math.round(height * scale)) };
}

function Waiting({ media, kind }: { media: Media | null | undefined; kind: string }) {
  const failed = media?.state === "failed";
  return (
    <div className="mb-1 flex items-center gap-2 rounded-control bg-well px-3 py-2.5 text-13 text-muted">
      {failed ? <ImageOff size={16} aria-hidden /> : <Download size={16} aria-hidden />}
      {t(failed ? "media.failed" : "media.pending", { kind: kindName(kind) })}
    </div>
  );
}

function Picture({ media, message, onOpen }: { media: Media; message: Message } & Pick<ContentActions, "onOpen">) {
  const sticker = message.kind === "sticker";
  const [broken, setBroken] = useState(false);
  if (broken) return <Waiting media={{ ...media, state: "failed" }} kind={message.kind} />;
  const shape = box(media, sticker ? 140 : 280);
  return (
    <button
      type="button"
      aria-label={t("media.open", { name: media.name || kindName(message.kind) })}
      onClick={onOpen}
      style={{ width: shape.width, aspectRatio: `${shape.width} / ${shape.height}` }}
      className={cn(
        "block max-w-[calc(100%+12px)] overflow-hidden rounded-[10px]",
        !sticker && "-mx-1.5 mb-1.25 bg-well",
      )}
    >
      <img
        src={media.url}
        alt={message.body || kindName(message.kind)}
        loading="lazy"
        decoding="async"
        onError={() => setBroken(true)}
        className="size-full object-cover"
      />
    </button>
  );
}

function Document({ media }: { media: Media }) {
  const name = media.name || t("kind.document");
  const type = (name.includes(".") ? name.split(".").pop() : media.mime.split("/").pop())?.slice(0, 5).toUpperCase();
  return (
    <a
      href={media.url}
      download={name}
      className="press -mx-1 mb-1 flex min-w-52 items-center gap-3 rounded-control border border-border bg-raised px-3 py-2.5 text-text hover:bg-hover"
    >
      <span className="relative grid size-9 place-items-center rounded-control bg-well text-muted">
        <FileText size={18} aria-hidden />
      </span>
      <span className="min-w-0 flex-1">
        <span dir="auto" className="block truncate text-13 font-medium at-start">
          {name}
        </span>
        <span className="block text-12 text-muted">
          {t("media.typeSize", { type: type ?? "", size: size(media.sizeBytes ?? 0) })}
        </span>
      </span>
      <Download size={16} className="shrink-0 text-muted" aria-hidden />
    </a>
  );
}

function Location({ message }: { message: Message }) {
  const at = place(message.content);
  if (!at) return <Unsupported message={message} />;
  const where = `${at.latitude.toFixed(5)}, ${at.longitude.toFixed(5)}`;
  return (
    <div className="-mx-1 mb-1 w-64 max-w-[calc(100%+8px)] overflow-hidden rounded-control border border-border bg-raised">
      <div className="grid h-24 place-items-center bg-well text-muted" aria-hidden="true">
        <MapPin size={26} />
      </div>
      <div className="px-3 py-2">
        <div dir="auto" className="text-13 font-medium at-start">
          {at.name ?? t("kind.location")}
        </div>
        <div dir={at.address ? "auto" : "ltr"} className="text-12 text-muted tabular-nums at-start">
          {at.address ?? where}
        </div>
        <a
          href={`https://www.openstreetmap.org/?mlat=${at.latitude}&mlon=${at.longitude}#map=16/${at.latitude}/${at.longitude}`}
          target="_blank"
          rel="noopener noreferrer"
          className="mt-1.5 inline-flex items-center gap-1 text-12 font-medium text-link underline-offset-2 hover:underline"
        >
          {t("location.openMap")}
          <ExternalLink size={12} aria-hidden />
        </a>
      </div>
    </div>
  );
}

export interface ContentActions {
  /** Shows the picture large. */
  onOpen: () => void;
  onSaveContact?: ((card: { name: string; phone: string }) => void) | undefined;
}

function Cards({ message, onSaveContact }: { message: Message } & Pick<ContentActions, "onSaveContact">) {
  const all = cards(message.content);
  if (all.length === 0) return <Unsupported message={message} />;
  return all.map((card) => (
    <div
      key={card.name + card.phones.join()}
      className="-mx-1 mb-1 min-w-52 rounded-control border border-border bg-raised px-3 py-2"
    >
      <div dir="auto" className="text-13 font-medium at-start">
        {card.name || t("contact.nameless")}
      </div>
      {card.phones.map((one) => (
        <div key={one} className="mt-0.5 flex items-center gap-2 text-12 text-muted tabular-nums">
          <span dir="ltr" className="flex-1 at-start">
            {phone(one)}
          </span>
          <button
            type="button"
            aria-label={t("action.copyValue", { value: one })}
            onClick={() => copy(one)}
            className="grid size-6 place-items-center rounded-small hover:bg-hover hover:text-text"
          >
            <Copy size={14} aria-hidden />
          </button>
          {onSaveContact && (
            <button
              type="button"
              aria-label={t("contact.saveName", { name: card.name || one })}
              onClick={() => onSaveContact({ name: card.name, phone: one })}
              className="grid size-6 place-items-center rounded-small hover:bg-hover hover:text-text"
            >
              <UserPlus size={14} aria-hidden />
            </button>
          )}
        </div>
      ))}
    </div>
  ));
}

/** A poll with its votes as they are now; who chose what, when it is asked for. */
function PollCard({ message }: { message: Message }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const asked = poll(message.content);
  if (!asked) return <Unsupported message={message} />;
  const { votes } = asked;
  const counts = asked.options.map((option) => votes.filter((vote) => vote.options.includes(option)).length);
  const most = Math.max(1, ...counts);
  const voter = (direction: Vote["direction"]) =>
    direction === "inbound" ? nameOf(known(client, message.conversationId)?.contact ?? {}) : t("poll.us");
  return (
    <div className="mb-1 w-64 max-w-full" data-testid="poll">
      <div dir="auto" className="font-strong break-words">
        {asked.question}
      </div>
      <div className="text-12 text-muted">{t(asked.multiple ? "poll.chooseSeveral" : "poll.chooseOne")}</div>
      <ul>
        {asked.options.map((option, at) => (
          <li key={option} className="mt-2 text-13" data-testid="poll-answer">
            <div className="flex gap-2">
              <span dir="auto" className="min-w-0 flex-1 break-words at-start">
                {option}
              </span>
              <span className="text-12 tabular-nums" title={t("poll.count", { n: counts[at] ?? 0 })}>
                {counts[at]}
              </span>
            </div>
            <div className="mt-1 h-1 overflow-hidden rounded-full bg-well" aria-hidden="true">
              <div className="h-full bg-primary" style={{ width: `${((counts[at] ?? 0) / most) * 100}%` }} />
            </div>
            {open &&
              votes
                .filter((vote) => vote.options.includes(option))
                .map((vote) => (
                  <div key={vote.direction} className="mt-1 flex gap-2 text-12 text-muted" data-testid="poll-voter">
                    <bdi className="min-w-0 flex-1 truncate">{voter(vote.direction)}</bdi>
                    {vote.at && <When at={vote.at} />}
                  </div>
                ))}
          </li>
        ))}
      </ul>
      {votes.length > 0 ? (
        <button
          type="button"
          aria-expanded={open}
          data-testid="poll-who"
          onClick={() => setOpen(!open)}
          className="mt-2 text-12 font-medium text-link underline-offset-2 hover:underline pointer-coarse:min-h-11"
        >
          {t(open ? "poll.hideWho" : "poll.who", { n: votes.length })}
        </button>
      ) : (
        <p className="mt-2 text-12 text-muted">{t("poll.noVotes")}</p>
      )}
    </div>
  );
}

/** The page that a text links to, in its own words. Its picture comes from our server: looking asks nobody. */
function LinkCard({ message }: { message: Message }) {
  const [broken, setBroken] = useState(false);
  const shown = preview(message.content);
  if (!shown) return null;
  const { picture } = shown;
  return (
    <a
      href={shown.url}
      target="_blank"
      rel="noopener noreferrer"
      data-testid="link-preview"
      title={t("link.opens", { host: shown.host })}
      className="press -mx-1.5 mb-1.25 block w-70 max-w-[calc(100%+12px)] overflow-hidden rounded-[10px] border border-border bg-raised text-text hover:bg-hover"
    >
      {picture && !broken && (
        <img
          src={`/api/media/${picture.id}`}
          alt=""
          loading="lazy"
          decoding="async"
          onError={() => setBroken(true)}
          style={{ aspectRatio: `${picture.width} / ${picture.height}` }}
          className="max-h-40 w-full bg-well object-cover"
        />
      )}
      <span className="block px-3 py-2">
        <span dir="auto" className="line-clamp-2 text-13 font-medium break-words at-start">
          {shown.title}
        </span>
        {shown.description && (
          <span dir="auto" className="mt-0.5 line-clamp-2 text-12 break-words text-muted at-start">
            {shown.description}
          </span>
        )}
        <bdi className="mt-0.5 block truncate text-12 text-muted">{shown.host}</bdi>
      </span>
    </a>
  );
}

function CallLine({ message }: { message: Message }) {
  const { video, missed, rejected } = call(message.content);
  return (
    <span className={cn("inline-flex items-center gap-2", missed && "text-danger")}>
      {missed ? <PhoneMissed size={16} aria-hidden /> : <Phone size={16} aria-hidden />}
      {t(missed ? "call.missed" : rejected ? "call.rejected" : video ? "call.video" : "call.done")}
    </span>
  );
}

/** A basket: what, how many, and what it comes to. */
function Order({ message }: { message: Message }) {
  const ordered = basket(message.content);
  if (!ordered) return <Unsupported message={message} />;
  const { items, currency, total } = ordered;
  return (
    <div className="-mx-1 mb-1 w-64 max-w-full rounded-control border border-border bg-raised px-3 py-2 text-13">
      <div className="flex items-center gap-2 font-medium">
        <ShoppingBag size={16} className="text-muted" aria-hidden />
        {t("kind.order")}
      </div>
      <ul className="mt-1.5">
        {items.map((one, at) => (
          <li key={`${one.name}${at}`} className="flex gap-2 border-t border-border py-1.5 tabular-nums">
            <span className="shrink-0 text-muted">{t("order.times", { n: one.quantity })}</span>
            <span dir="auto" className="min-w-0 flex-1 break-words at-start">
              {one.name}
            </span>
            {currency && one.price !== undefined && <span>{money(one.price * one.quantity, currency)}</span>}
          </li>
        ))}
      </ul>
      {currency && total !== undefined && (
        <div className="flex justify-between gap-2 border-t border-border pt-1.5 font-strong tabular-nums">
          <span>{t("order.total")}</span>
          <span>{money(total, currency)}</span>
        </div>
      )}
    </div>
  );
}

/** What the other side may press. Not for us: so it does not look like a button of the page. */
function Choices({ message }: { message: Message }) {
  const all = choices(message.content);
  if (all.length === 0) return null;
  return (
    <ul className="mt-1 mb-1 flex flex-col gap-1" aria-label={t("kind.choices")}>
      {all.map((one) => (
        <li
          key={one}
          dir="auto"
          className="rounded-control border border-border bg-raised/60 px-3 py-1 text-center text-13 text-muted"
        >
          {one}
        </li>
      ))}
    </ul>
  );
}

/** A button that was pressed, or a row that was chosen. */
function Chosen({ message }: { message: Message }) {
  const more = below(message.content);
  return (
    <span className="flex items-start gap-1.5">
      <MousePointerClick size={16} className="mt-0.5 shrink-0 text-muted" aria-label={t("kind.answer")} />
      <span dir="auto" className="min-w-0">
        <span className="font-medium">{message.body}</span>
        {more && <span className="block text-13 text-muted">{more}</span>}
      </span>
    </span>
  );
}

function Unsupported({ message }: { message: Message }) {
  const raw = rawKind(message.content) ?? message.kind;
  return <span className="text-muted italic">{t("message.unsupported", { kind: raw })}</span>;
}

/** The inside of a bubble, by kind. Words come last: they are the caption. */
export function MessageContent({ message, onOpen, onSaveContact }: { message: Message } & ContentActions) {
  const { media, kind } = message;
  const words = message.body ? (
    // What people write runs as they write it, whatever the language of the page.
    <span dir="auto">
      <Formatted text={message.body} />
    </span>
  ) : null;
  if (["image", "sticker", "video", "audio", "voice", "document"].includes(kind)) {
    const ready = media && media.state === "ready" && media.url;
    return (
      <>
        {!ready ? (
          <Waiting media={media} kind={kind} />
        ) : kind === "image" || kind === "sticker" ? (
          <Picture media={media} message={message} onOpen={onOpen} />
        ) : kind === "video" ? (
          // biome-ignore lint/a11y/useMediaCaption: what customers send has no captions
          <video
            src={media.url}
            controls
            preload="metadata"
            aria-label={t("kind.video")}
            style={{ aspectRatio: `${media.width || 4} / ${media.height || 3}` }}
            className="-mx-1.5 mb-1.25 w-70 max-w-[calc(100%+12px)] rounded-[10px] bg-well"
          />
        ) : kind === "document" ? (
          <Document media={media} />
        ) : (
          <AudioPlayer media={media} voice={kind === "voice"} />
        )}
        {words}
      </>
    );
  }
  switch (kind) {
    case "text":
      return (
        <>
          <LinkCard message={message} />
          {words}
        </>
      );
    case "location":
      return <Location message={message} />;
    case "contacts":
      return <Cards message={message} onSaveContact={onSaveContact} />;
    case "poll":
      return <PollCard message={message} />;
    case "call":
      return <CallLine message={message} />;
    case "order":
      return (
        <>
          <Order message={message} />
          {words}
        </>
      );
    case "buttons":
    case "template":
      return (
        <>
          {words ?? <Unsupported message={message} />}
          <Choices message={message} />
        </>
      );
    case "buttonReply":
    case "listReply":
      return message.body ? <Chosen message={message} /> : <Unsupported message={message} />;
    default:
      // Kinds that we do not draw yet are shown by their words, where they have some.
      return words ?? <Unsupported message={message} />;
  }
}
