import { Contact, ListChecks, MapPin, MessageSquareQuote, Paperclip, Plus } from "lucide-react";
import type { ReactNode } from "react";
import type { Instance } from "~/api/types";
import { t } from "~/i18n/t";
import { IconButton } from "~/ui/IconButton";
import { Menu, MenuItem } from "~/ui/Menu";

/** What goes out besides words and files. */
export type PartKind = "poll" | "location" | "contacts";

interface Props {
  phone: boolean;
  /** What the number can do; nothing while that is not known. */
  can: Instance["capabilities"] | undefined;
  onFiles: () => void;
  onPart: (kind: PartKind) => void;
  onQuick: () => void;
}

/** What can be put into a message. What this number cannot send says so. */
export function AttachMenu({ phone, can, onFiles, onPart, onQuick }: Props) {
  const part = (kind: PartKind, name: string, icon: ReactNode, able: boolean | undefined) => (
    <MenuItem icon={icon} disabled={able === false} onSelect={() => onPart(kind)} testId={`attach-${kind}`}>
      {name}
      {able === false && <span className="block text-12">{t("attach.cannot")}</span>}
    </MenuItem>
  );
  return (
    <Menu
      label={t("attach.title")}
      align="start"
      side="top"
      trigger={
        <IconButton
          label={t("attach.title")}
          icon={phone ? <Plus size={22} aria-hidden /> : <Paperclip size={18} aria-hidden />}
          {...(phone && { className: "size-11" })}
          data-testid="attach"
        />
      }
    >
      <MenuItem icon={<Paperclip aria-hidden />} onSelect={onFiles} testId="attach-files">
        {t("composer.attach")}
      </MenuItem>
      <MenuItem icon={<MessageSquareQuote aria-hidden />} keys="/" onSelect={onQuick} testId="attach-quick">
        {t("quick.one")}
      </MenuItem>
      {part("location", t("kind.location"), <MapPin aria-hidden />, can?.location)}
      {part("contacts", t("kind.contacts"), <Contact aria-hidden />, can?.contacts)}
      {part("poll", t("kind.poll"), <ListChecks aria-hidden />, can && (can.poll || can.buttons))}
    </Menu>
  );
}
