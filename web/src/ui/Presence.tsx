import type { ReactNode } from "react";
import { isAway } from "~/api/preferences";
import type { User } from "~/api/types";
import { t } from "~/i18n/t";
import { cn } from "./cn";
import { useNow } from "./useNow";

type Of = Pick<User, "availability" | "activeUntil"> | undefined;

/** Full for who is at work, a ring for who is away: colour is not all that tells them apart. Its word stands beside it. */
export function PresenceDot({ away, className }: { away: boolean; className?: string | undefined }) {
  return (
    <span
      aria-hidden="true"
      data-testid="presence"
      data-away={away}
      className={cn(
        "block size-2 rounded-full",
        away ? "bg-raised shadow-[inset_0_0_0_2px_var(--text-muted)]" : "bg-success",
        className,
      )}
    />
  );
}

/** An avatar with the dot; `ground` is the border that sets it off from the face. */
export function Presence({ of, children, ground = "border-raised" }: { of: Of; children: ReactNode; ground?: string }) {
  const now = useNow();
  return (
    <span className="relative inline-flex shrink-0">
      {children}
      {of && (
        <span className={cn("absolute -end-1 -bottom-1 rounded-full border-2", ground)}>
          <PresenceDot away={isAway(of, now)} />
        </span>
      )}
    </span>
  );
}

/** “Available” or “Away”. */
export function PresenceWord({ of }: { of: Of }) {
  const now = useNow();
  return of ? t(isAway(of, now) ? "availability.away" : "availability.available") : null;
}
