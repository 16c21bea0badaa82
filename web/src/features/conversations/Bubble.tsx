import { Ban, CornerUpRight, Smartphone } from "lucide-react";
import { memo, useRef } from "react";
import type { Message } from "~/api/types";
import { clock, moment } from "~/i18n/format";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { Tick } from "~/ui/Tick";
import { useLongPress } from "~/ui/useLongPress";
import { forwarded } from "./content";
import { inOneLine } from "./kinds";
import { MessageContent } from "./MessageContent";
import { type BubbleActions, MessageMenu } from "./MessageMenu";
import { Trouble } from "./Trouble";
import type { Entry } from "./thread";

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
