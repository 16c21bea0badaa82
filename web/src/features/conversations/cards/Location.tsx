import { ExternalLink, MapPin } from "lucide-react";
import type { Message } from "~/api/types";
import { t } from "~/i18n/t";
import { place } from "../content";
import { Unsupported } from "./Unsupported";

/** A place by its name and its coordinates; a map only when it is asked for. */
export function Location({ message }: { message: Message }) {
  const at = place(message.content);
  if (!at) return <Unsupported message={message} />;
  const where = `${at.latitude.toFixed(5)}, ${at.longitude.toFixed(5)}`;
  return (
    <div className="-mx-1 mb-1 w-64 max-w-[calc(100%+8px)] overflow-hidden rounded-control border border-border bg-raised">
      <div className="grid h-24 place-items-center bg-well text-muted" aria-hidden="true">
        <MapPin size={26} />
      </div>
      <div className="px-3 py-2">
        <div dir="auto" className="text-13 font-medium at-start">
          {at.name ?? t("kind.location")}
        </div>
        <div dir={at.address ? "auto" : "ltr"} className="text-12 text-muted tabular-nums at-start">
          {at.address ?? where}
        </div>
        <a
          href={`https://www.openstreetmap.org/?mlat=${at.latitude}&mlon=${at.longitude}#map=16/${at.latitude}/${at.longitude}`}
          target="_blank"
          rel="noopener noreferrer"
          className="mt-1.5 inline-flex items-center gap-1 text-12 font-medium text-link underline-offset-2 hover:underline"
        >
          {t("location.openMap")}
          <ExternalLink size={12} aria-hidden />
        </a>
      </div>
    </div>
  );
}
