import { Download, ImageOff } from "lucide-react";
import { useState } from "react";
import type { Media, Message } from "~/api/types";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { kindName } from "../kinds";

/** A box of the picture's own shape, kept before the picture is there. */
function box(media: Media, widest: number): { width: number; height: number } {
  const width = media.width || 4;
  const height = media.height || 3;
  const scale = Math.min(widest / width, 320 / height);
  return { width: Math.max(120, Math.round(width * scale)), height: Math.max(80, Math.round(height * scale)) };
}

/** In place of a file that is not here yet, or will not come. */
export function Waiting({ media, kind }: { media: Media | null | undefined; kind: string }) {
  const failed = media?.state === "failed";
  return (
    <div className="mb-1 flex items-center gap-2 rounded-control bg-well px-3 py-2.5 text-13 text-muted">
      {failed ? <ImageOff size={16} aria-hidden /> : <Download size={16} aria-hidden />}
      {t(failed ? "media.failed" : "media.pending", { kind: kindName(kind) })}
    </div>
  );
}

/** A photo or a sticker, that opens large. */
export function Picture({ media, message, onOpen }: { media: Media; message: Message; onOpen: () => void }) {
  const sticker = message.kind === "sticker";
  const [broken, setBroken] = useState(false);
  if (broken) return <Waiting media={{ ...media, state: "failed" }} kind={message.kind} />;
  const shape = box(media, sticker ? 140 : 280);
  return (
    <button
      type="button"
      aria-label={t("media.open", { name: media.name || kindName(message.kind) })}
      onClick={onOpen}
      style={{ width: shape.width, aspectRatio: `${shape.width} / ${shape.height}` }}
      className={cn(
        "block max-w-[calc(100%+12px)] overflow-hidden rounded-[10px]",
        !sticker && "-mx-1.5 mb-1.25 bg-well",
      )}
    >
      <img
        src={media.url}
        alt={message.body || kindName(message.kind)}
        loading="lazy"
        decoding="async"
        onError={() => setBroken(true)}
        className="size-full object-cover"
      />
    </button>
  );
}
