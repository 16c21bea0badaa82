import { t } from "~/i18n/t";

const ROUND = 2 * Math.PI * 19;

/** Seconds that run out: an ember ring, the figure in it. */
export function Ring({ seconds, of }: { seconds: number; of: number }) {
  const part = Math.max(0, Math.min(1, seconds / of));
  return (
    <svg
      width="44"
      height="44"
      viewBox="0 0 44 44"
      fill="none"
      role="img"
      aria-label={t("link.secondsLeft", { n: seconds })}
      data-testid="qr-ring"
    >
      <circle cx="22" cy="22" r="19" stroke="var(--well)" strokeWidth="4" />
      {part > 0 && (
        <circle
          cx="22"
          cy="22"
          r="19"
          stroke="var(--ember-fill)"
          strokeWidth="4"
          strokeLinecap="round"
          strokeDasharray={`${part * ROUND} ${ROUND}`}
          transform="rotate(-90 22 22)"
        />
      )}
      <text
        x="22"
        y="27"
        textAnchor="middle"
        fontSize="15"
        fontWeight="600"
        fill="var(--text)"
        style={{ fontVariantNumeric: "tabular-nums" }}
      >
        {seconds}
      </text>
    </svg>
  );
}
