import { ago, moment } from "~/i18n/format";
import { useNow } from "./useNow";

/** A time: relative to read, exact on hover. */
export function When({ at, className }: { at: string; className?: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={moment(at)} className={className}>
      {ago(at, now)}
    </time>
  );
}
