import type { Message } from "~/api/types";
import { t } from "~/i18n/t";
import { rawKind } from "../content";

/** A kind that is not drawn, by its raw name. */
export function Unsupported({ message }: { message: Message }) {
  const raw = rawKind(message.content) ?? message.kind;
  return <span className="text-muted italic">{t("message.unsupported", { kind: raw })}</span>;
}
