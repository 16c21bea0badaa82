let context: AudioContext | undefined;

// Browsers let a page sound only after somebody has touched it.
const prime = () => {
  context ??= new AudioContext();
  void context.resume();
};
if (typeof AudioContext !== "undefined")
  for (const one of ["pointerdown", "keydown"]) addEventListener(one, prime, { once: true, passive: true });

/** Two soft notes. Silent on a page that nobody has touched yet. */
export function chime(): void {
  if (context?.state !== "running") return;
  for (const [after, hertz] of [
    [0, 659],
    [0.12, 880],
  ] as const) {
    const at = context.currentTime + after;
    const note = new OscillatorNode(context, { frequency: hertz });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.linearRampToValueAtTime(0.12, at + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.35);
    note.connect(volume).connect(context.destination);
    note.start(at);
    note.stop(at + 0.4);
  }
}
