/** One ring of printed dots: its radius, how many dots, and how large. */
type Ring = [radius: number, dots: number, size: number];

// Rings of dots, each finer than the one inside.
const rosette: Ring[] = Array.from({ length: 7 }, (_, at) => [26 + at * 20, 8 + at * 6, 5 - at * 0.6]);
// For the large sheet of the sign-in page: a ring of large dots, then two of small ones, again and again.
const sheet: Ring[] = Array.from({ length: 18 }, (_, at) => [
  34 + at * 6.6,
  Math.round((34 + at * 6.6) / 2.42),
  at % 3 === 0 ? 2.45 : 1.25,
]);

function path([radius, dots, size]: Ring, at: number): string {
  const turn = at % 2 ? Math.PI / dots : 0;
  return Array.from({ length: dots }, (_, dot) => {
    const angle = turn + (dot / dots) * 2 * Math.PI;
    const x = (160 + radius * Math.cos(angle) - size).toFixed(1);
    const y = (160 + radius * Math.sin(angle)).toFixed(1);
    const d = (size * 2).toFixed(1);
    return `M${x} ${y}a${size} ${size} 0 1 0 ${d} 0a${size} ${size} 0 1 0-${d} 0`;
  }).join("");
}

const drawn = { rosette: rosette.map(path).join(""), sheet: sheet.map(path).join("") };

/** The printed cloth: foot of the rail, head of the phone inbox, sign-in. Decoration only. */
export function Cloth({ kind = "rosette", className }: { kind?: keyof typeof drawn; className?: string }) {
  return (
    <svg viewBox="0 0 320 320" aria-hidden="true" className={className}>
      <path d={drawn[kind]} fill="currentColor" />
    </svg>
  );
}
