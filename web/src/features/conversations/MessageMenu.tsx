import { Copy, CornerUpLeft, Info, MessageSquareQuote, X } from "lucide-react";
import type { ReactElement, Ref } from "react";
import type { Message } from "~/api/types";
import { t } from "~/i18n/t";
import { copy } from "~/ui/copy";
import { Menu, MenuItem, MenuSeparator, MenuTile, type TriggerProps } from "~/ui/Menu";
import { MoreButton } from "~/ui/MoreButton";
import type { SaveContact } from "./cards/ContactCards";
import type { Said } from "./thread";

const quick = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/** What can be done with any message. What is missing is not for this person. */
export interface MessageActions {
  onReply?: ((message: Message) => void) | undefined;
  onReact?: ((message: Message, emoji: string) => void) | undefined;
  /** Keeps its words as a quick reply. */
  onKeep?: ((message: Message) => void) | undefined;
  onDetails: (message: Message) => void;
  /** What can be done about a message that did not go its way. */
  onAct?: ((act: "check" | "mark-sent" | "resend" | "cancel", entry: Said) => void) | undefined;
}

/** And with one in its thread. */
export interface BubbleActions extends MessageActions {
  onJump: (id: string) => void;
  /** Shows a picture large. */
  onOpen: (picture: Said) => void;
  onSaveContact?: SaveContact | undefined;
  onEdit?: ((entry: Said) => void) | undefined;
  onDrop?: ((entry: Said) => void) | undefined;
}

/** What can be done with a message. */
export function MessageMenu({
  entry,
  actions,
  opener,
  trigger = <MoreButton label={t("message.menu")} data-testid="message-menu" />,
}: {
  entry: Said;
  actions: MessageActions;
  opener?: Ref<() => void>;
  /** What it hangs from, where that is not three small dots. */
  trigger?: ReactElement<TriggerProps>;
}) {
  const { message } = entry;
  const { onReply, onReact, onKeep, onDetails, onAct } = actions;
  return (
    <Menu label={t("message.menu")} trigger={trigger} opener={opener}>
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
