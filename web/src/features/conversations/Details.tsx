import type { Message } from "~/api/types";
import { moment } from "~/i18n/format";
import { type PlainKey, t } from "~/i18n/t";
import { Dialog } from "~/ui/Dialog";
import { kindName } from "./kinds";

/** Ids, times and errors of one message: what support will ask for. */
export default function Details({
  message,
  provider,
  onClose,
}: {
  message: Message;
  provider: string;
  onClose: () => void;
}) {
  const rows: [string, string | null | undefined][] = [
    [t("details.id"), message.id],
    [t("details.kind"), kindName(message.kind)],
    [t("details.author"), message.author.name || message.author.kind],
    [t("details.state"), t(`message.state.${message.state}` as PlainKey)],
    [t("details.created"), moment(message.createdAt)],
    [t("details.sent"), message.sentAt && moment(message.sentAt)],
    [t("details.delivered"), message.deliveredAt && moment(message.deliveredAt)],
    [t("details.read"), message.readAt && moment(message.readAt)],
    [t("details.edited"), message.editedAt && moment(message.editedAt)],
    [t("details.deleted"), message.deletedAt && moment(message.deletedAt)],
    [t("details.provider"), provider],
    [t("details.error"), message.error && `${message.error.detail} (${message.error.code})`],
  ];
  return (
    <Dialog open onClose={onClose} title={t("message.details")} testId="details">
      <dl className="grid grid-cols-[112px_minmax(0,1fr)] gap-x-3 gap-y-2 text-13">
        {rows.map(
          ([name, value]) =>
            value && (
              <div key={name} className="contents">
                <dt className="text-muted">{name}</dt>
                <dd className="break-all tabular-nums">{value}</dd>
              </div>
            ),
        )}
      </dl>
    </Dialog>
  );
}
