import { Copy, UserPlus } from "lucide-react";
import type { Message } from "~/api/types";
import { phone } from "~/i18n/format";
import { t } from "~/i18n/t";
import { copy } from "~/ui/copy";
import { cards } from "../content";
import { Unsupported } from "./Unsupported";

/** Goes to the conversation with somebody whose card came, who is a contact then. */
export type SaveContact = (card: { name: string; phone: string }) => void;

interface Props {
  message: Message;
  onSaveContact: SaveContact | undefined;
}

/** People that were passed on: each number to copy and to save. */
export function ContactCards({ message, onSaveContact }: Props) {
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
