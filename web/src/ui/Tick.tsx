import type { MessageState } from "~/api/types";
import { clock } from "~/i18n/format";
import { type PlainKey, t } from "~/i18n/t";
import { cn } from "./cn";

const ring = "M13.6 6a4.6 4.6 0 1 1-9.2 0 4.6 4.6 0 0 1 9.2 0z";
const two = "m1.5 6.5 2.8 2.8L10 3M8 8.7l.8.6L14.5 3";

const shapes: Partial<Record<MessageState, { d: string; dash?: string; color?: string; weight?: number }>> = {
  queued: { d: `${ring}M9 3.6V6l1.7 1` },
  sending: { d: ring, dash: "1.6 2" },
  sent: { d: "m5 6.5 2.8 2.8L13.5 3" },
  delivered: { d: two },
  read: { d: two, color: "text-link", weight: 1.9 },
  failed: { d: `${ring}M9 3.5v2.9M9 8.4v.01`, color: "text-danger" },
  unknown: { d: `${ring}M7.7 4.9a1.35 1.35 0 1 1 1.9 1.2c-.4.2-.6.4-.6.8M9 8.6v.01`, color: "text-warning-text" },
  cancelled: { d: `${ring}M5.9 9.1 12.1 2.9` },
};

/** The true state of what we sent, always with its word for screen readers ("read 14:02"). */
export function Tick({ state, at, ai }: { state: MessageState; at?: string | null | undefined; ai?: boolean }) {
  const shape = shapes[state];
  if (!shape) return null;
  const word = t(`message.state.${state}` as PlainKey);
  const name = at && state === "read" ? `${word} ${clock(at)}` : word;
  return (
    <svg
      role="img"
      aria-label={name}
      data-testid="tick"
      data-state={state}
      viewBox="0 0 18 12"
      width="18"
      height="12"
      fill="none"
      stroke="currentColor"
      strokeWidth={shape.weight ?? 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeDasharray={shape.dash}
      className={cn("shrink-0", ai && state === "read" ? "text-info" : shape.color)}
    >
      <title>{name}</title>
      <path d={shape.d} />
    </svg>
  );
}
