import { Phone, PhoneMissed } from "lucide-react";
import type { Message } from "~/api/types";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { call } from "../content";

/** A call, and what became of it. */
export function CallLine({ message }: { message: Message }) {
  const { video, missed, rejected } = call(message.content);
  return (
    <span className={cn("inline-flex items-center gap-2", missed && "text-danger")}>
      {missed ? <PhoneMissed size={16} aria-hidden /> : <Phone size={16} aria-hidden />}
      {t(missed ? "call.missed" : rejected ? "call.rejected" : video ? "call.video" : "call.done")}
    </span>
  );
}
