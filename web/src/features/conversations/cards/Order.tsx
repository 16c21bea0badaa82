import { ShoppingBag } from "lucide-react";
import type { Message } from "~/api/types";
import { money } from "~/i18n/format";
import { t } from "~/i18n/t";
import { basket } from "../content";
import { Unsupported } from "./Unsupported";

/** A basket: what, how many, and what it comes to. */
export function Order({ message }: { message: Message }) {
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
