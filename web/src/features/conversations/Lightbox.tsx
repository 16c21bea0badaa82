import { ChevronLeft, ChevronRight, Download, Ellipsis, X, ZoomIn, ZoomOut } from "lucide-react";
import { Dialog } from "radix-ui";
import { type SyntheticEvent, useRef, useState } from "react";
import type { Message } from "~/api/types";
import { moment } from "~/i18n/format";
import { language } from "~/i18n/language";
import { type PlainKey, t } from "~/i18n/t";
import { type MessageActions, MessageMenu } from "./MessageMenu";
import type { Said } from "./thread";

const button =
  "grid size-11 place-items-center rounded-full bg-photo-scrim text-on-photo hover:opacity-80 focus-visible:outline-on-photo disabled:opacity-30";

/** Not from its menu, which lies over it: React hands on what happens there, too. */
const isOwn = (event: SyntheticEvent): boolean => event.currentTarget.contains(event.target as Node);

interface Props {
  /** The one that was opened. */
  first: Said;
  /** All that can be looked at, as they are now. */
  pictures: Said[];
  actions: MessageActions;
  onClose: () => void;
}

/** Pictures and films of the thread, large: zoom to five times, arrows to the next, Esc to leave; what became of each, and its menu. */
export default function Lightbox({ first, pictures, actions, onClose }: Props) {
  const [key, show] = useState(first.key);
  const found = pictures.findIndex((one) => one.key === key);
  // A sticker is none of them, and what was deleted meanwhile is not any more.
  const all = found < 0 ? [first] : pictures;
  const at = Math.max(0, found);
  const entry = all[at] ?? first;
  const shown = entry.message;
  /** What takes the focus when this has closed. */
  const then = useRef<() => void>(undefined);
  const closing = (act: (message: Message) => void) => (message: Message) => {
    then.current = () => act(message);
    onClose();
  };
  const [zoom, setZoom] = useState(1);
  const [shift, setShift] = useState({ x: 0, y: 0 });
  const drag = useRef<{ x: number; y: number } | null>(null);
  if (!shown.media) return null;

  // The next picture is where the reading goes.
  const onward = language.rtl ? -1 : 1;
  const go = (step: number) => {
    const next = all[at + step];
    if (!next) return;
    show(next.key);
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
          onCloseAutoFocus={(event) => {
            if (!then.current) return;
            event.preventDefault();
            then.current();
          }}
          onKeyDown={(event) => {
            if (!isOwn(event)) return;
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
          onWheel={(event) => isOwn(event) && scale(event.deltaY < 0 ? 1.15 : 1 / 1.15)}
        >
          <Dialog.Title className="sr-only">{t("lightbox.title", { at: at + 1, total: all.length })}</Dialog.Title>
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
            {!entry.outgoing && (
              <MessageMenu
                entry={entry}
                actions={{
                  ...actions,
                  onReply: actions.onReply && closing(actions.onReply),
                  onKeep: actions.onKeep && closing(actions.onKeep),
                  onDetails: closing(actions.onDetails),
                }}
                trigger={
                  <button type="button" className={button} aria-label={t("message.menu")} data-testid="lightbox-menu">
                    <Ellipsis size={18} aria-hidden />
                  </button>
                }
              />
            )}
            <Dialog.Close className={button} aria-label={t("dialog.close")}>
              <X size={18} aria-hidden />
            </Dialog.Close>
          </div>
          {all.length > 1 && (
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
                disabled={at === all.length - 1}
                onClick={() => go(1)}
              >
                <ChevronRight size={20} aria-hidden className="rtl:-scale-x-100" />
              </button>
            </>
          )}
          <p className="absolute inset-x-4 bottom-4 mx-auto w-fit max-w-150 rounded-control bg-photo-scrim px-3 py-2 text-center text-13 text-on-photo">
            {shown.body && (
              <span dir="auto" className="block">
                {shown.body}
              </span>
            )}
            <span data-testid="lightbox-state" className="text-12 tabular-nums">
              {moment(shown.createdAt)}
              {shown.direction === "outbound" && ` · ${t(`message.state.${shown.state}` as PlainKey)}`}
              {shown.reactions.map((one) => ` ${one.emoji}`)}
            </span>
          </p>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
