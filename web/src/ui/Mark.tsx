const seats = [
  [16, 4.4],
  [24.2, 7.8],
  [27.6, 16],
  [24.2, 24.2],
  [16, 27.6],
  [4.4, 16],
  [7.8, 7.8],
  [7.8, 24.2],
] as const;

/** Eight seats round a fire; one seat has a tail, for it is speaking. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" className="shrink-0">
      <g fill="currentColor">
        {seats.map(([x, y]) => (
          <circle key={`${x} ${y}`} cx={x} cy={y} r="3.2" />
        ))}
        <path d="M4.76 23.22 2.4 29.15c-.28.7.38 1.35 1.07 1.04L9.06 27.14z" />
      </g>
      <circle cx="16" cy="16" r="4.5" fill="var(--ember-fill)" />
    </svg>
  );
}

/** The same circle with open seats: nobody sits here yet. */
export function OpenSeats() {
  return (
    <svg viewBox="0 0 32 32" width="76" height="76" aria-hidden="true" fill="none" className="text-control">
      <g stroke="currentColor" strokeWidth=".9" strokeDasharray="1.4 1.3">
        {seats.map(([x, y]) => (
          <circle key={`${x} ${y}`} cx={x} cy={y} r="3" />
        ))}
      </g>
      <circle cx="16" cy="16" r="4.5" fill="var(--ember-fill)" />
    </svg>
  );
}
