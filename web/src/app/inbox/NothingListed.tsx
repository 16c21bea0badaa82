import type { Instance } from "~/api/types";
import { type Filter, isNarrowed, type View } from "~/features/conversations/filter";
import { viewName } from "~/features/conversations/Views";
import { type PlainKey, t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Empty, NothingMatches } from "~/ui/states";
import { EmptyInbox, isFresh } from "./EmptyInbox";

/** Views that are empty because the work is done. */
const doneViews: readonly View[] = ["unread", "us", "mine", "unassigned"];

interface Props {
  filter: Filter;
  /** The number and the label of the filter, by name. */
  place: string[];
  numbers: Instance[] | undefined;
  /** Nothing stands beside it. */
  alone: boolean;
  /** Shows everything. */
  onClear: () => void;
  /** Begins a conversation, for those who may. */
  onStart: (() => void) | undefined;
}

/** Why the list is empty: the filter hides what there is, the work of this view is done, or nothing has come yet. */
export function NothingListed({ filter, place, numbers, alone, onClear, onStart }: Props) {
  const { view, label } = filter;
  // The next step stands beside it.
  if (!alone && !isNarrowed(filter) && isFresh(numbers))
    return <p className="flex-1 px-4 py-10 text-center text-13 text-muted">{t("row.nothingYet")}</p>;
  if (!isNarrowed(filter)) return <EmptyInbox numbers={numbers} onStart={onStart} />;
  if (label || !doneViews.includes(view))
    return (
      <NothingMatches
        title={t("empty.view", { view: [viewName(view), ...place].join(" · ") })}
        text={t("empty.viewText")}
        onClear={onClear}
      />
    );
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <Empty
        title={t(`empty.${view}` as PlainKey)}
        text={t("empty.doneText")}
        action={
          <Button size="dense" onClick={onClear}>
            {t("empty.showAll")}
          </Button>
        }
      />
    </div>
  );
}
