import {
  Ban,
  Check,
  Copy,
  CornerUpLeft,
  CornerUpRight,
  Ellipsis,
  Info,
  MessageSquareQuote,
  RotateCcw,
  Smartphone,
  Trash2,
  X,
} from "lucide-react";
import { type ComponentProps, memo, type Ref, useRef } from "react";
import { failure } from "~/api/problem";
import type { Message } from "~/api/types";
import { clock, moment } from "~/i18n/format";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { copy } from "~/ui/copy";
import { Menu, MenuItem, MenuSeparator, MenuTile } from "~/ui/Menu";
import { Tick } from "~/ui/Tick";
import { useLongPress } from "~/ui/useLongPress";
import { forwarded } from "./content";
import { inOneLine } from "./kinds";
import { type ContentActions, MessageContent } from "./MessageContent";
import type { Entry, Said } from "./thread";

const quick = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

export interface BubbleActions extends Pick<ContentActions, "onSaveContact"> {
  onReply?: ((message: Message) => void) | undefined;
  onReact?: ((message: Message, emoji: string) => void) | undefined;
  /** Keeps its words as a quick reply. */
  onKeep?: ((message: Message) => void) | undefined;
  onDetails: (message: Message) => void;
  onJump: (id: string) => void;
  /** Shows a picture large. */
  onOpen: (picture: Said) => void;
  /** What can be done about a message that did not go its way. */
  onAct?: ((act: "check" | "mark-sent" | "resend" | "cancel", entry: Said) => void) | undefined;
  onEdit?: ((entry: Said) => void) | undefined;
  onDrop?: ((entry: Said) => void) | undefined;
}

/** Who said it, when that is not the customer: an agent, the AI, the phone itself, a campaign, a rule, another program. */
export function authorName(message: Message, user: string): string {
  const { kind, id, name } = message.author;
  if (kind === "user") return id === user ? t("author.you") : name || t("author.user");
  if (kind === "phone") return t("author.phone");
  if (kind === "assistant") return t("author.assistant");
  if (kind === "campaign") return t("author.campaign");
  if (kind === "rule") return t("author.rule");
  if (kind === "api") return name || t("author.api");
  return name || "";
}

function Quoted({
  message,
  contact,
  user,
  onJump,
}: {
  message: Message;
  contact: string;
  user: string;
  onJump: (id: string) => void;
}) {
  const { quoted } = message;
  if (!quoted) return null;
  const who =
    quoted.direction === "inbound"
      ? contact
      : quoted.author?.kind === "user" && quoted.author.id === user
        ? t("author.you")
        : (quoted.author?.name ?? t("author.us"));
  return (
    <button
      type="button"
      onClick={() => quoted.id && onJump(quoted.id)}
      className="press -mx-1 mb-1 block w-[calc(100%+8px)] rounded-control border-s-3 border-primary bg-well/60 px-2 py-1 text-start text-12 hover:bg-well"
    >
      <span className="block font-strong text-link">{who}</span>
      <span dir="auto" className="line-clamp-2 text-muted at-start">
        {inOneLine(quoted.kind, quoted.preview)}
      </span>
    </button>
  );
}

function Reactions({ message, user, onReact }: { message: Message; user: string; onReact?: BubbleActions["onReact"] }) {
  if (message.reactions.length === 0) return null;
  const counts = new Map<string, { n: number; mine: boolean; names: string[] }>();
  for (const { emoji, by } of message.reactions) {
    const one = counts.get(emoji) ?? { n: 0, mine: false, names: [] };
    one.n += 1;
    one.mine ||= by.id === user;
    if (by.name) one.names.push(by.name);
    counts.set(emoji, one);
  }
  return (
    <div className={cn("relative -mt-1 flex gap-1 px-2", message.direction === "outbound" && "justify-end")}>
      {[...counts].map(([emoji, { n, mine, names }]) => (
        <button
          key={emoji}
          type="button"
          disabled={!onReact}
          title={names.join(", ")}
          aria-label={t("message.reaction", { emoji, n })}
          aria-pressed={mine}
          onClick={() => onReact?.(message, mine ? "" : emoji)}
          className={cn(
            "flex h-5.5 items-center gap-1 rounded-full border bg-raised px-1.5 text-12 tabular-nums",
            mine ? "border-primary" : "border-border",
          )}
        >
          {emoji}
          {n > 1 && n}
        </button>
      ))}
    </div>
  );
}

/** Three dots, and more behind them. */
function MoreButton({ label, className, ...rest }: { label: string } & ComponentProps<"button">) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={cn(
        "press grid size-7 place-items-center rounded-full text-muted hover:bg-hover hover:text-text pointer-coarse:size-11",
        className,
      )}
    >
      <Ellipsis size={16} aria-hidden />
    </button>
  );
}

/** Below a bubble whose message failed, or of which we do not know: the reason, one action, and the rest. */
export function Trouble({
  entry,
  onAct,
  onEdit,
  onDrop,
}: { entry: Said } & Pick<BubbleActions, "onAct" | "onEdit" | "onDrop">) {
  const { message, outgoing } = entry;
  const local = outgoing?.is === "refused";
  const unknown = message.state === "unknown";
  if (!local && !unknown && message.state !== "failed") return null;
  const reason = unknown
    ? t("message.unknownReason")
    : (message.error && failure(message.error)) || t("message.failedReason");
  return (
    <div
      data-testid="trouble"
      className={cn(
        "flex max-w-[min(84%,460px)] flex-wrap items-center justify-end gap-x-1.5 self-end text-12",
        unknown ? "text-warning-text" : "text-danger",
      )}
    >
      <span className="text-end">{reason}</span>
      {onAct && (
        <button
          type="button"
          onClick={() => onAct(unknown ? "check" : "resend", entry)}
          className="font-strong underline underline-offset-3 pointer-coarse:min-h-11"
        >
          {t(unknown ? "message.check" : "message.tryAgain")}
        </button>
      )}
      {onAct && (
        <Menu label={t("message.more")} trigger={<MoreButton label={t("message.more")} className="size-6" />}>
          {() => (
            <>
              {unknown && (
                <>
                  <MenuItem icon={<Check aria-hidden />} onSelect={() => onAct("mark-sent", entry)}>
                    {t("message.markSent")}
                  </MenuItem>
                  <MenuItem icon={<RotateCcw aria-hidden />} onSelect={() => onAct("resend", entry)}>
                    {t("message.sendAgain")}
                  </MenuItem>
                </>
              )}
              {!unknown && message.kind === "text" && onEdit && (
                <MenuItem icon={<RotateCcw aria-hidden />} onSelect={() => onEdit(entry)}>
                  {t("message.editResend")}
                </MenuItem>
              )}
              {local && onDrop ? (
                <MenuItem icon={<Trash2 aria-hidden />} danger onSelect={() => onDrop(entry)}>
                  {t("message.delete")}
                </MenuItem>
              ) : (
                <MenuItem icon={<X aria-hidden />} onSelect={() => onAct("cancel", entry)}>
                  {t("message.giveUp")}
                </MenuItem>
              )}
            </>
          )}
        </Menu>
      )}
    </div>
  );
}

/** What can be done with a message. */
export function MessageMenu({
  entry,
  actions,
  opener,
  className,
}: {
  entry: Said;
  actions: BubbleActions;
  opener: Ref<() => void>;
  className?: string;
}) {
  const { message } = entry;
  const { onReply, onReact, onKeep, onDetails, onAct } = actions;
  return (
    <Menu
      label={t("message.menu")}
      trigger={<MoreButton label={t("message.menu")} data-testid="message-menu" className={className} />}
      opener={opener}
    >
      {() => (
        <>
          {onReact && (
            <div className="flex gap-0.5 p-1">
              {quick.map((emoji) => (
                <MenuTile
                  key={emoji}
                  label={t("message.reactWith", { emoji })}
                  onSelect={() => onReact(message, emoji)}
                >
                  {emoji}
                </MenuTile>
              ))}
            </div>
          )}
          {onReply && (
            <MenuItem icon={<CornerUpLeft aria-hidden />} onSelect={() => onReply(message)}>
              {t("message.reply")}
            </MenuItem>
          )}
          {message.body && (
            <MenuItem icon={<Copy aria-hidden />} onSelect={() => copy(message.body ?? "")}>
              {t("message.copy")}
            </MenuItem>
          )}
          {onKeep && message.body && message.direction === "outbound" && (
            <MenuItem icon={<MessageSquareQuote aria-hidden />} onSelect={() => onKeep(message)}>
              {t("quick.keep")}
            </MenuItem>
          )}
          {onAct && message.state === "queued" && (
            <MenuItem icon={<X aria-hidden />} onSelect={() => onAct("cancel", entry)}>
              {t("message.cancel")}
            </MenuItem>
          )}
          <MenuSeparator />
          <MenuItem icon={<Info aria-hidden />} onSelect={() => onDetails(message)}>
            {t("message.details")}
          </MenuItem>
        </>
      )}
    </Menu>
  );
}

/** One message: side and tone say who speaks, the time and the tick what became of it. */
export const Bubble = memo(function Bubble({
  entry,
  contact,
  user,
  actions,
}: {
  entry: Entry;
  contact: string;
  user: string;
  actions: BubbleActions;
}) {
  const { message, outgoing, first, last } = entry;
  const out = message.direction === "outbound";
  const ai = message.author.kind === "assistant";
  const deleted = !!message.deletedAt;
  const { onReact, onAct, onJump } = actions;
  const real = !outgoing;
  const openMenu = useRef<() => void>(null);
  const press = useLongPress(real && !deleted ? () => openMenu.current?.() : undefined);
  const passedOn = forwarded(message.content);
  const bare = message.kind === "sticker" && !deleted;
  return (
    <div
      data-testid="message"
      data-id={message.id}
      data-state={message.state}
      data-direction={message.direction}
      className={cn("group/bubble flex flex-col", first ? "pt-2.5" : "pt-[3px]")}
    >
      <div className={cn("flex items-center gap-1", out ? "flex-row-reverse" : "")}>
        <article
          aria-label={t("message.by", {
            who: out ? authorName(message, user) : contact,
            at: moment(message.createdAt),
          })}
          {...press}
          className={cn(
            "relative max-w-[84%] rounded-[14px] px-3 pointer-coarse:select-none pointer-coarse:[-webkit-touch-callout:none] pt-[7px] pb-1.5 break-words whitespace-pre-wrap phone:max-w-[min(78%,460px)] max-phone:text-15",
            bare
              ? "bg-transparent"
              : out
                ? ai
                  ? "bg-bubble-ai"
                  : "bg-bubble-out"
                : "bg-bubble-in shadow-[inset_0_0_0_1px_var(--bubble-edge)]",
            last && (out ? "rounded-ee-[4px]" : "rounded-es-[4px]"),
          )}
        >
          {first && out && message.author.kind !== "contact" && (
            <div className={cn("mb-px flex items-center gap-1.25 text-12 font-strong", ai ? "text-info" : "text-link")}>
              {message.author.kind === "phone" && <Smartphone size={13} aria-hidden />}
              {authorName(message, user)}
            </div>
          )}
          {deleted ? (
            <span className="flex items-center gap-1.5 text-muted italic">
              <Ban size={14} aria-hidden />
              {t("message.deleted")}
            </span>
          ) : (
            <>
              {passedOn && (
                <span className="flex items-center gap-1 text-12 text-muted italic">
                  <CornerUpRight size={13} aria-hidden className="rtl:-scale-x-100" />
                  {t(passedOn === "often" ? "message.forwardedOften" : "message.forwarded")}
                </span>
              )}
              <Quoted message={message} contact={contact} user={user} onJump={onJump} />
              <MessageContent
                message={message}
                onOpen={() => actions.onOpen(entry)}
                onSaveContact={actions.onSaveContact}
              />
            </>
          )}
          <span className="relative top-0.5 float-end ms-3 mt-1.5 inline-flex items-center gap-[3px] text-11 text-muted tabular-nums">
            {message.editedAt && <span>{t("message.edited")}</span>}
            <time dateTime={message.createdAt} title={moment(message.createdAt)}>
              {clock(message.createdAt)}
            </time>
            {out && <Tick state={message.state} at={message.readAt} ai={ai} />}
          </span>
          <span className="clear-both block" />
        </article>
        {real && !deleted && (
          <span className="flex shrink-0 opacity-0 group-focus-within/bubble:opacity-100 group-hover/bubble:opacity-100 has-aria-expanded:opacity-100 pointer-coarse:-my-2.5 pointer-coarse:opacity-70">
            <MessageMenu entry={entry} actions={actions} opener={openMenu} />
          </span>
        )}
      </div>
      <Reactions message={message} user={user} onReact={onReact} />
      <Trouble entry={entry} onAct={onAct} onEdit={actions.onEdit} onDrop={actions.onDrop} />
    </div>
  );
});
