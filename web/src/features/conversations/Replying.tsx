import { CornerUpLeft, X } from "lucide-react";
import type { Message } from "~/api/types";
import { t } from "~/i18n/t";
import { IconButton } from "~/ui/IconButton";
import { plain } from "./format";
import { kindName } from "./kinds";

interface Props {
  message: Message;
  contact: string;
  onDrop: () => void;
}

/** Over the field: the message that is being answered. */
export function Replying({ message, contact, onDrop }: Props) {
  return (
    <div
      className="mx-2 mt-2 flex items-center gap-2 rounded-control border-s-3 border-primary bg-well/60 py-1 ps-2.5 pe-1 text-12"
      data-testid="replying"
    >
      <CornerUpLeft size={14} className="shrink-0 text-muted" aria-hidden />
      <span className="min-w-0 flex-1">
        <span className="block font-strong text-link">
          {message.direction === "inbound" ? contact : message.author.name || t("author.us")}
        </span>
        <span dir="auto" className="block truncate text-muted at-start">
          {plain(message.body ?? "") || kindName(message.kind)}
        </span>
      </span>
      <IconButton label={t("composer.noReply")} icon={<X size={16} aria-hidden />} onClick={onDrop} />
    </div>
  );
}
