import { ArrowLeft, ArrowRight, FileText, Music, Video, X } from "lucide-react";
import type { Media } from "~/api/types";
import { type FileKind, kindOf, limits } from "~/api/upload";
import { size } from "~/i18n/format";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { Seg } from "~/ui/Seg";
import { type Pictures, pictures } from "./settings";

/** A file that will go out, with what stands below it. */
export interface Attached {
  key: string;
  file: File;
  kind: FileKind;
  caption: string;
  preview: string | undefined;
  /** It is at the server already: the file of a quick reply. */
  mediaId?: string | undefined;
  /** A picture, as light as it need be and as it was given. */
  picture?: Record<Pictures, File> | undefined;
}

/** WhatsApp shows pictures up to this edge; a larger one only costs the customer data. */
const EDGE = 1600;
/** Lighter than this, nothing is gained. */
const LIGHT = 300_000;

/** A picture made light: its long edge cut to 1600, as JPEG, without what the camera wrote into it. The same file when that gains nothing. */
async function lighter(file: File): Promise<File> {
  if (file.size <= LIGHT) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, EDGE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const brush = canvas.getContext("2d");
    if (!brush) return file;
    // JPEG knows no transparency, and black is not what was meant.
    brush.fillStyle = "white";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob && blob.size < file.size
      ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" })
      : file;
  } catch {
    return file;
  }
}

/** The file as it goes out. A picture that is too heavy to be one goes as a document, which keeps every byte. */
export function asChosen(one: Attached, how: Pictures): Attached {
  if (!one.picture) return one;
  const file = one.picture[how];
  return { ...one, file, kind: file.size > limits.image ? "document" : "image" };
}

/** Readies files for sending. What is too large for WhatsApp is left out, and said. */
export async function attach(list: File[]): Promise<{ files: Attached[]; problem?: string | undefined }> {
  const files: Attached[] = [];
  const refused: string[] = [];
  for (const given of list) {
    const asked = kindOf(given);
    // A picture may be made lighter yet; anything else that is too heavy for what it is goes as a document.
    const kind = asked !== "image" && given.size > limits[asked] ? "document" : asked;
    const picture = kind === "image" ? { standard: await lighter(given), original: given } : undefined;
    const file = given;
    if (file.size === 0) refused.push(t("attach.empty", { name: file.name }));
    else if (file.size > limits[picture ? "document" : kind])
      refused.push(
        t("attach.tooLarge", {
          name: file.name,
          size: size(file.size),
          limit: size(limits[picture ? "document" : kind]),
        }),
      );
    else
      files.push({
        key: crypto.randomUUID?.() ?? String(Math.random()),
        file,
        kind,
        caption: "",
        picture,
        preview: kind === "image" || kind === "video" || kind === "audio" ? URL.createObjectURL(file) : undefined,
      });
  }
  return { files, problem: refused.length ? refused.join(" ") : undefined };
}

/** The file of a quick reply. The server has it: only its name and its type are needed here. */
export function ofQuickReply(media: Media, caption: string): Attached {
  const file = new File([], media.name ?? t("kind.document"), { type: media.mime });
  const heavy = kindOf(file) === "image" && (media.sizeBytes ?? 0) > limits.image;
  const kind = heavy ? "document" : kindOf(file);
  return {
    key: `${media.id} ${Date.now()}`,
    file,
    kind,
    caption,
    mediaId: media.id,
    preview: kind === "document" ? undefined : media.url,
    // It goes as it was kept.
    picture: kind === "image" ? { standard: file, original: file } : undefined,
  };
}

/** Standard or original, with what each weighs, where there is a difference; and what is too large to go as what it is. */
export function PictureSize({ files }: { files: Attached[] }) {
  const how = pictures.use();
  const all = files.flatMap((one) => one.picture ?? []);
  const choice = all.some((one) => one.standard !== one.original);
  const weight = (which: Pictures) => size(all.reduce((sum, one) => sum + one[which].size, 0));
  const document =
    (how === "original" && all.some((one) => one.original.size > limits.image)) ||
    files.some((one) => one.kind === "document" && kindOf(one.file) !== "document");
  if (!choice && !document) return null;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 pt-2" data-testid="picture-size">
      {choice && (
        <Seg
          label={t("attach.quality")}
          value={how}
          onChange={pictures.set}
          options={[
            { value: "standard", text: t("attach.standard", { size: weight("standard") }) },
            { value: "original", text: t("attach.original", { size: weight("original") }) },
          ]}
        />
      )}
      {document && <span className="text-12 text-muted">{t("attach.asDocument")}</span>}
    </div>
  );
}

interface TrayProps {
  files: Attached[];
  chosen: number;
  onChoose: (at: number) => void;
  onDrop: (at: number) => void;
  onOrder: (files: Attached[]) => void;
}

/** The files to send, in the order in which they will arrive. The field below writes the chosen one's caption. */
export function Tray({ files, chosen, onChoose, onDrop, onOrder }: TrayProps) {
  const move = (at: number, by: number) => {
    const next = [...files];
    const [one] = next.splice(at, 1);
    if (one) next.splice(at + by, 0, one);
    onOrder(next);
    onChoose(at + by);
  };
  return (
    <ul aria-label={t("attach.list")} data-testid="tray" className="flex gap-2 overflow-x-auto px-3 pt-3 pb-1">
      {files.map((one, at) => (
        <li key={one.key} className="relative shrink-0">
          <button
            type="button"
            aria-pressed={at === chosen}
            aria-label={t("attach.choose", { name: one.file.name, at: at + 1, n: files.length })}
            onClick={() => onChoose(at)}
            className={cn(
              "grid h-18 w-24 place-items-center overflow-hidden rounded-control border bg-well text-muted",
              at === chosen ? "border-transparent outline-2 outline-primary" : "border-border",
            )}
          >
            {one.picture ? (
              <img src={one.preview} alt="" className="size-full object-cover" />
            ) : (
              <span className="flex w-full flex-col items-center gap-1 px-2">
                {one.kind === "video" ? (
                  <Video size={20} aria-hidden />
                ) : one.kind === "audio" ? (
                  <Music size={20} aria-hidden />
                ) : (
                  <FileText size={20} aria-hidden />
                )}
                <span className="w-full truncate text-11">{one.file.name}</span>
              </span>
            )}
          </button>
          <button
            type="button"
            aria-label={t("attach.remove", { name: one.file.name })}
            onClick={() => onDrop(at)}
            className="absolute -end-1.5 -top-1.5 grid size-6 place-items-center rounded-full bg-text text-background"
          >
            <X size={13} aria-hidden />
          </button>
          {at === chosen && files.length > 1 && (
            <span className="absolute inset-x-1 bottom-1 flex justify-between">
              <button
                type="button"
                disabled={at === 0}
                aria-label={t("attach.earlier")}
                onClick={() => move(at, -1)}
                className="grid size-6 place-items-center rounded-full bg-photo-scrim text-on-photo disabled:opacity-0"
              >
                <ArrowLeft size={13} aria-hidden className="rtl:-scale-x-100" />
              </button>
              <button
                type="button"
                disabled={at === files.length - 1}
                aria-label={t("attach.later")}
                onClick={() => move(at, 1)}
                className="grid size-6 place-items-center rounded-full bg-photo-scrim text-on-photo disabled:opacity-0"
              >
                <ArrowRight size={13} aria-hidden className="rtl:-scale-x-100" />
              </button>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
