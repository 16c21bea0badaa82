import { useState } from "react";
import type { Message } from "~/api/types";
import { t } from "~/i18n/t";
import { preview } from "../content";

/** The page that a text links to, in its own words. Its picture comes from our server: looking asks nobody. */
export function LinkCard({ message }: { message: Message }) {
  const [broken, setBroken] = useState(false);
  const shown = preview(message.content);
  if (!shown) return null;
  const { picture } = shown;
  return (
    <a
      href={shown.url}
      target="_blank"
      rel="noopener noreferrer"
      data-testid="link-preview"
      title={t("link.opens", { host: shown.host })}
      className="press -mx-1.5 mb-1.25 block w-70 max-w-[calc(100%+12px)] overflow-hidden rounded-[10px] border border-border bg-raised text-text hover:bg-hover"
    >
      {picture && !broken && (
        <img
          src={`/api/media/${picture.id}`}
          alt=""
          loading="lazy"
          decoding="async"
          onError={() => setBroken(true)}
          style={{ aspectRatio: `${picture.width} / ${picture.height}` }}
          className="max-h-40 w-full bg-well object-cover"
        />
      )}
      <span className="block px-3 py-2">
        <span dir="auto" className="line-clamp-2 text-13 font-medium break-words at-start">
          {shown.title}
        </span>
        {shown.description && (
          <span dir="auto" className="mt-0.5 line-clamp-2 text-12 break-words text-muted at-start">
            {shown.description}
          </span>
        )}
        <bdi className="mt-0.5 block truncate text-12 text-muted">{shown.host}</bdi>
      </span>
    </a>
  );
}
