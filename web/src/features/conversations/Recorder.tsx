import { Mic, RotateCcw, SendHorizontal, Square, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { length } from "~/i18n/format";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { IconButton } from "~/ui/IconButton";

/** What WhatsApp plays as a voice note comes first; the server turns the rest into it. */
const formats = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];
const BARS = 48;

interface Made {
  file: File;
  preview: string;
  durationMs: number;
}

/** Records a voice note: levels while it runs, then listen, record again, or send. */
export default function Recorder({ onSend, onCancel }: { onSend: (made: Made) => void; onCancel: () => void }) {
  const [state, setState] = useState<"asking" | "recording" | "ready" | "refused">("asking");
  const [levels, setLevels] = useState<number[]>([]);
  const [ms, setMs] = useState(0);
  const [made, setMade] = useState<Made>();
  const [round, again] = useState(0);
  const recorder = useRef<MediaRecorder>(undefined);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each round is a new recording
  useEffect(() => {
    let over = false;
    let stream: MediaStream | undefined;
    let meter: ReturnType<typeof setInterval> | undefined;
    let sound: AudioContext | undefined;
    (async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      } catch {
        if (!over) setState("refused");
        return;
      }
      if (over) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      const type = formats.find((one) => MediaRecorder.isTypeSupported(one)) ?? "";
      const machine = new MediaRecorder(stream, type ? { mimeType: type } : {});
      recorder.current = machine;
      const parts: Blob[] = [];
      const began = Date.now();
      machine.ondataavailable = (event) => parts.push(event.data);
      machine.onstop = () => {
        clearInterval(meter);
        for (const track of stream?.getTracks() ?? []) track.stop();
        void sound?.close();
        if (over) return;
        const mime = (machine.mimeType || "audio/webm").split(";")[0] ?? "audio/webm";
        const file = new File(parts, `voice.${mime.split("/")[1] ?? "webm"}`, { type: mime });
        setMade({ file, preview: URL.createObjectURL(file), durationMs: Date.now() - began });
        setState("ready");
      };
      sound = new AudioContext();
      const analyser = sound.createAnalyser();
      analyser.fftSize = 512;
      sound.createMediaStreamSource(stream).connect(analyser);
      const samples = new Uint8Array(analyser.fftSize);
      meter = setInterval(() => {
        analyser.getByteTimeDomainData(samples);
        let peak = 0;
        for (const one of samples) peak = Math.max(peak, Math.abs(one - 128) / 128);
        setLevels((before) => [...before.slice(-BARS + 1), peak]);
        setMs(Date.now() - began);
      }, 100);
      machine.start();
      setState("recording");
    })();
    return () => {
      over = true;
      clearInterval(meter);
      if (recorder.current?.state === "recording") recorder.current.stop();
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, [round]);

  return (
    <div data-testid="recorder" className="flex min-h-13 items-center gap-2 p-2">
      <IconButton label={t("recorder.discard")} icon={<Trash2 size={18} aria-hidden />} onClick={onCancel} />
      {state === "refused" ? (
        <p role="alert" className="flex-1 text-13 text-danger">
          {t("recorder.refused")}
        </p>
      ) : state === "ready" && made ? (
        <>
          {/* biome-ignore lint/a11y/useMediaCaption: one's own voice, just recorded */}
          <audio src={made.preview} controls className="h-9 min-w-0 flex-1" />
          <IconButton
            label={t("recorder.again")}
            icon={<RotateCcw size={18} aria-hidden />}
            onClick={() => {
              URL.revokeObjectURL(made.preview);
              setMade(undefined);
              setLevels([]);
              setMs(0);
              setState("asking");
              again(round + 1);
            }}
          />
          <Button
            look="filled"
            size="dense"
            autoFocus
            icon={<SendHorizontal size={16} aria-hidden />}
            onClick={() => onSend(made)}
            data-testid="recorder-send"
          >
            {t("composer.send")}
          </Button>
        </>
      ) : (
        <>
          <span className="flex items-center gap-1.5 text-13 font-medium text-danger tabular-nums" role="status">
            <Mic size={16} aria-hidden />
            {state === "asking" ? t("recorder.asking") : length(ms)}
          </span>
          <span className="flex h-8 min-w-0 flex-1 items-center justify-end gap-0.5 overflow-hidden" aria-hidden="true">
            {levels.map((level, at) => (
              <span
                key={at}
                className="w-[3px] shrink-0 rounded-full bg-control"
                style={{ height: `${Math.max(8, level * 100)}%` }}
              />
            ))}
          </span>
          <Button
            size="dense"
            icon={<Square size={14} aria-hidden />}
            disabled={state === "asking"}
            onClick={() => recorder.current?.stop()}
            data-testid="recorder-stop"
          >
            {t("recorder.stop")}
          </Button>
        </>
      )}
    </div>
  );
}
