import { useQueryClient } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Download, X, ZoomIn, ZoomOut } from "lucide-react";
import { Dialog } from "radix-ui";
import { useMemo, useRef, useState } from "react";
import { keys } from "~/api/keys";
import { flatten, type Pages } from "~/api/pages";
import type { Media, Message } from "~/api/types";
import { moment } from "~/i18n/format";
import { language } from "~/i18n/language";
import { type PlainKey, t } from "~/i18n/t";

const button =
  "grid size-11 place-items-center rounded-full bg-photo-scrim text-on-photo hover:opacity-80 focus-visible:outline-on-photo disabled:opacity-30";

/** What is not a message yet has no state. */
type Shown = Pick<Message, "id" | "body" | "media"> & Partial<Message>;

/** Pictures and films of the thread, large: zoom to five times, arrows to the next, Esc to leave; what became of each. */
export default function Lightbox({
  messageId,
  conversationId,
  media,
  onClose,
}: {
  messageId: string;
  conversationId: string;
  media: Media;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const pictures = useMemo((): Shown[] => {
    const thread = flatten(client.getQueryData<Pages<Message>>(keys.messages(conversationId)));
    const found = thread
      .filter((one) => (one.kind === "image" || one.kind === "video") && one.media?.state === "ready" && !one.deletedAt)
      .reverse();
    const alone: Shown = { id: messageId, media, body: null };
    return found.some((one) => one.id === messageId) ? found : [alone];
  }, [client, conversationId, messageId, media]);
  const [at, setAt] = useState(() => pictures.findIndex((one) => one.id === messageId));
  const [zoom, setZoom] = useState(1);
  const [shift, setShift] = useState({ x: 0, y: 0 });
  const drag = useRef<{ x: number; y: number } | null>(null);
  const shown = pictures[at] ?? pictures[0];
  if (!shown?.media) return null;

  // The next picture is where the reading goes.
  const onward = language.rtl ? -1 : 1;
  const go = (step: number) => {
    const next = at + step;
    if (next < 0 || next >= pictures.length) return;
    setAt(next);
    setZoom(1);
    setShift({ x: 0, y: 0 });
  };
  const scale = (factor: number) => {
    const next = Math.min(5, Math.max(1, zoom * factor));
    setZoom(next);
    if (next === 1) setShift({ x: 0, y: 0 });
  };

  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="appear fixed inset-0 z-50 bg-scrim backdrop-blur-sm" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-0 z-50 grid place-items-center overflow-hidden outline-none"
          onKeyDown={(event) => {
            const act = {
              ArrowLeft: () => go(-onward),
              ArrowRight: () => go(onward),
              "+": () => scale(1.5),
              "=": () => scale(1.5),
              "-": () => scale(1 / 1.5),
            }[event.key];
            if (!act) return;
            event.preventDefault();
            act();
          }}
          onWheel={(event) => scale(event.deltaY < 0 ? 1.15 : 1 / 1.15)}
        >
          <Dialog.Title className="sr-only">{t("lightbox.title", { at: at + 1, total: pictures.length })}</Dialog.Title>
          {shown.kind === "video" ? (
            // biome-ignore lint/a11y/useMediaCaption: customers' films have none
            <video
              key={shown.id}
              src={shown.media.url}
              controls
              className="max-h-[calc(100dvh-120px)] max-w-[calc(100vw-32px)]"
            />
          ) : (
            <img
              src={shown.media.url}
              alt={shown.body || t("kind.image")}
              draggable={false}
              onDoubleClick={() => scale(zoom > 1 ? 1 / 5 : 2.5)}
              onPointerDown={(event) => {
                if (zoom === 1) return;
                event.currentTarget.setPointerCapture(event.pointerId);
                drag.current = { x: event.clientX - shift.x, y: event.clientY - shift.y };
              }}
              onPointerMove={(event) =>
                drag.current && setShift({ x: event.clientX - drag.current.x, y: event.clientY - drag.current.y })
              }
              onPointerUp={() => {
                drag.current = null;
              }}
              style={{
                transform: `translate(${shift.x}px, ${shift.y}px) scale(${zoom})`,
                cursor: zoom > 1 ? "grab" : "zoom-in",
              }}
              className="max-h-[calc(100dvh-120px)] max-w-[calc(100vw-32px)] touch-none object-contain select-none"
            />
          )}
          <div className="absolute end-4 top-4 flex gap-2">
            <button
              type="button"
              className={button}
              aria-label={t("lightbox.zoomOut")}
              disabled={zoom === 1}
              onClick={() => scale(1 / 1.5)}
            >
              <ZoomOut size={18} aria-hidden />
            </button>
            <button
              type="button"
              className={button}
              aria-label={t("lightbox.zoomIn")}
              disabled={zoom === 5}
              onClick={() => scale(1.5)}
            >
              <ZoomIn size={18} aria-hidden />
            </button>
            <a
              className={button}
              aria-label={t("lightbox.download")}
              href={shown.media.url}
              download={shown.media.name || ""}
            >
              <Download size={18} aria-hidden />
            </a>
            <Dialog.Close className={button} aria-label={t("dialog.close")}>
              <X size={18} aria-hidden />
            </Dialog.Close>
          </div>
          {pictures.length > 1 && (
            <>
              <button
                type="button"
                className={`${button} absolute start-4`}
                aria-label={t("lightbox.previous")}
                disabled={at === 0}
                onClick={() => go(-1)}
              >
                <ChevronLeft size={20} aria-hidden className="rtl:-scale-x-100" />
              </button>
              <button
                type="button"
                className={`${button} absolute end-4`}
                aria-label={t("lightbox.next")}
                disabled={at === pictures.length - 1}
                onClick={() => go(1)}
              >
                <ChevronRight size={20} aria-hidden className="rtl:-scale-x-100" />
              </button>
            </>
          )}
          {(shown.body || shown.createdAt) && (
            <p className="absolute inset-x-4 bottom-4 mx-auto w-fit max-w-150 rounded-control bg-photo-scrim px-3 py-2 text-center text-13 text-on-photo">
              {shown.body && <span className="block">{shown.body}</span>}
              {shown.createdAt && (
                <span data-testid="lightbox-state" className="text-12 tabular-nums">
                  {moment(shown.createdAt)}
                  {shown.direction === "outbound" && ` · ${t(`message.state.${shown.state}` as PlainKey)}`}
                </span>
              )}
            </p>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
