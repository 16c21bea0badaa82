import { type PlainKey, t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { strength } from "./rules";

const steps = { short: 0, common: 1, weak: 1, fair: 2, strong: 3 };

/** How good a new password is: three strokes and a word. */
export function Strength({ password, own }: { password: string; own: string[] }) {
  if (!password) return null;
  const is = strength(password, own);
  const step = steps[is];
  return (
    <span className="flex items-center gap-2" aria-live="polite" data-testid="strength">
      <span className="flex gap-1" aria-hidden="true">
        {[1, 2, 3].map((one) => (
          <span
            key={one}
            className={cn(
              "h-1 w-8 rounded-full",
              one > step ? "bg-well" : step === 3 ? "bg-success" : step === 2 ? "bg-primary" : "bg-warning",
            )}
          />
        ))}
      </span>
      {t(`strength.${is}` as PlainKey)}
    </span>
  );
}
