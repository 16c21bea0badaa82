import { Download, FileText } from "lucide-react";
import type { Media } from "~/api/types";
import { size } from "~/i18n/format";
import { t } from "~/i18n/t";

/** A file to take. */
export function Document({ media }: { media: Media }) {
  const name = media.name || t("kind.document");
  const type = (name.includes(".") ? name.split(".").pop() : media.mime.split("/").pop())?.slice(0, 5).toUpperCase();
  return (
    <a
      href={media.url}
      download={name}
      className="press -mx-1 mb-1 flex min-w-52 items-center gap-3 rounded-control border border-border bg-raised px-3 py-2.5 text-text hover:bg-hover"
    >
      <span className="relative grid size-9 place-items-center rounded-control bg-well text-muted">
        <FileText size={18} aria-hidden />
      </span>
      <span className="min-w-0 flex-1">
        <span dir="auto" className="block truncate text-13 font-medium at-start">
          {name}
        </span>
        <span className="block text-12 text-muted">
          {t("media.typeSize", { type: type ?? "", size: size(media.sizeBytes ?? 0) })}
        </span>
      </span>
      <Download size={16} className="shrink-0 text-muted" aria-hidden />
    </a>
  );
}
