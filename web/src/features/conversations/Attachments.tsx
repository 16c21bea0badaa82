import { ArrowLeft, ArrowRight, FileText, Music, Video, X } from "lucide-react";
import { type FileKind, kindOf, limits } from "~/api/upload";
import { size } from "~/i18n/format";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";

/** A file that will go out, with what stands below it. */
export interface Attached {
  key: string;
  file: File;
  kind: FileKind;
  caption: string;
  preview: string | undefined;
}

/** WhatsApp shows pictures up to this edge; a larger one only costs the customer data. */
const EDGE = 1600;

/** A picture that is too heavy, made smaller; the same file when that is not possible. */
async function lighter(file: File): Promise<File> {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, EDGE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob && blob.size < file.size
      ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" })
      : file;
  } catch {
    return file;
  }
}

/** Readies files for sending. What is too large for WhatsApp is left out, and said. */
export async function attach(list: File[]): Promise<{ files: Attached[]; problem?: string | undefined }> {
  const files: Attached[] = [];
  const refused: string[] = [];
  for (const given of list) {
    const kind = kindOf(given);
    const file = kind === "image" && given.size > limits.image ? await lighter(given) : given;
    if (file.size === 0) refused.push(t("attach.empty", { name: file.name }));
    else if (file.size > limits[kind])
      refused.push(t("attach.tooLarge", { name: file.name, size: size(file.size), limit: size(limits[kind]) }));
    else
      files.push({
        key: crypto.randomUUID?.() ?? String(Math.random()),
        file,
        kind,
        caption: "",
        preview: kind === "image" || kind === "video" || kind === "audio" ? URL.createObjectURL(file) : undefined,
      });
  }
  return { files, problem: refused.length ? refused.join(" ") : undefined };
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
            {one.kind === "image" ? (
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
