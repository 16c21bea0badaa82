import { MousePointerClick } from "lucide-react";
import type { Message } from "~/api/types";
import { t } from "~/i18n/t";
import { below, choices } from "../content";

/** What the other side may press. Not for us: so it does not look like a button of the page. */
export function Choices({ message }: { message: Message }) {
  const all = choices(message.content);
  if (all.length === 0) return null;
  return (
    <ul className="mt-1 mb-1 flex flex-col gap-1" aria-label={t("kind.choices")}>
      {all.map((one) => (
        <li
          key={one}
          dir="auto"
          className="rounded-control border border-border bg-raised/60 px-3 py-1 text-center text-13 text-muted"
        >
          {one}
        </li>
      ))}
    </ul>
  );
}

/** A button that was pressed, or a row that was chosen. */
export function Chosen({ message }: { message: Message }) {
  const more = below(message.content);
  return (
    <span className="flex items-start gap-1.5">
      <MousePointerClick size={16} className="mt-0.5 shrink-0 text-muted" aria-label={t("kind.answer")} />
      <span dir="auto" className="min-w-0">
        <span className="font-medium">{message.body}</span>
        {more && <span className="block text-13 text-muted">{more}</span>}
      </span>
    </span>
  );
}
