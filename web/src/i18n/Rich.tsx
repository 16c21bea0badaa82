import { Fragment, type ReactNode } from "react";
import { type Args, fill, type Key, template } from "./t";

/** A text of the catalogue with `<b>strong</b>` parts. Values are put in afterwards, so no value can bring a tag. */
export function Rich<K extends Key>({
  k,
  values,
}: { k: K } & (Args<K> extends [infer V] ? { values: V } : { values?: undefined })): ReactNode {
  const filled = (values ?? {}) as Record<string, string | number>;
  return template(k, filled)
    .split(/<b>(.*?)<\/b>/)
    .map((part, at) =>
      // The parts of a fixed text never change places.
      at % 2 ? (
        <b key={at} className="font-strong">
          {fill(part, filled)}
        </b>
      ) : (
        <Fragment key={at}>{fill(part, filled)}</Fragment>
      ),
    );
}
