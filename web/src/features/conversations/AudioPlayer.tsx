import { Mic, Pause, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Media } from "~/api/types";
import { length } from "~/i18n/format";
import { t } from "~/i18n/t";

const speeds = [1, 1.5, 2];
let speed = 1;
let playing: HTMLAudioElement | undefined;

/** Plays a voice note or a song: one at a time on the whole page, at the speed chosen last. */
export function AudioPlayer({ media, voice }: { media: Media; voice: boolean }) {
  const audio = useRef<HTMLAudioElement>(null);
  const [on, setOn] = useState(false);
  const [at, setAt] = useState(0);
  const [total, setTotal] = useState((media.durationMs ?? 0) / 1000);
  const [rate, setRate] = useState(speed);
  const [broken, setBroken] = useState(false);

  useEffect(() => {
    const element = audio.current;
    return () => {
      if (playing === element) playing = undefined;
    };
  }, []);

  async function toggle() {
    const element = audio.current;
    if (!element) return;
    if (on) return element.pause();
    playing?.pause();
    playing = element;
    element.playbackRate = rate;
    await element.play().catch(() => setBroken(true));
  }

  return (
    <div className="mb-0.5 flex w-64 max-w-full items-center gap-2">
      <button
        type="button"
        onClick={() => void toggle()}
        aria-label={t(on ? "audio.pause" : "audio.play")}
        className="press grid size-9 shrink-0 place-items-center rounded-full bg-primary text-on-primary hover:bg-primary-hover"
      >
        {on ? <Pause size={16} aria-hidden /> : <Play size={16} className="ms-0.5" aria-hidden />}
      </button>
      <div className="min-w-0 flex-1">
        <input
          type="range"
          min={0}
          max={total || 1}
          step={0.1}
          value={Math.min(at, total || 1)}
          aria-label={t("audio.position")}
          aria-valuetext={t("audio.of", { at: length(at * 1000), total: length(total * 1000) })}
          onChange={(event) => {
            const next = Number(event.target.value);
            setAt(next);
            if (audio.current) audio.current.currentTime = next;
          }}
          className="h-1.5 w-full cursor-pointer accent-primary"
        />
        <div className="flex items-center gap-1 text-11 text-muted tabular-nums">
          {voice && <Mic size={12} aria-hidden />}
          {broken ? t("audio.broken") : length((on || at > 0 ? at : total) * 1000)}
        </div>
      </div>
      <button
        type="button"
        aria-label={t("audio.speed", { n: rate })}
        onClick={() => {
          speed = speeds[(speeds.indexOf(rate) + 1) % speeds.length] ?? 1;
          setRate(speed);
          if (audio.current) audio.current.playbackRate = speed;
        }}
        className="press h-6 shrink-0 rounded-full bg-well px-2 text-11 font-medium text-text tabular-nums hover:bg-hover"
      >
        {t("audio.times", { n: rate })}
      </button>
      {/* biome-ignore lint/a11y/useMediaCaption: a voice note has none; its transcript will be a text of its own */}
      <audio
        ref={audio}
        src={media.url}
        preload="metadata"
        onPlay={() => setOn(true)}
        onPause={() => setOn(false)}
        onEnded={() => setAt(0)}
        onError={() => setBroken(true)}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onLoadedMetadata={(event) => {
          const { duration } = event.currentTarget;
          if (Number.isFinite(duration)) setTotal(duration);
        }}
      />
    </div>
  );
}
