import type { Instance, Label } from "~/api/types";
import { type Filter, sorts, type View } from "~/features/conversations/filter";
import { Dot } from "~/features/conversations/LabelChip";
import { denseRows } from "~/features/conversations/settings";
import { shownViews } from "~/features/conversations/Views";
import { mixed, numberBy } from "~/i18n/name";
import { type PlainKey, t } from "~/i18n/t";
import { MenuChoice, MenuLabel, MenuSeparator } from "~/ui/Menu";

// What the menus over the list offer. On a phone all of it stands in one.

interface Props {
  filter: Filter;
  onChange: (part: Partial<Filter>) => void;
}

export function SortChoices({ filter, onChange }: Props) {
  return (
    <>
      <MenuLabel>{t("sort.title")}</MenuLabel>
      {sorts.map((one) => (
        <MenuChoice key={one} chosen={one === filter.sort} onSelect={() => onChange({ sort: one })}>
          {t(`sort.${one}` as PlainKey)}
        </MenuChoice>
      ))}
    </>
  );
}

export function DenseChoice() {
  const dense = denseRows.use();
  return (
    <>
      <MenuSeparator />
      <MenuChoice chosen={dense} onSelect={() => denseRows.set(!dense)}>
        {t("preferences.dense")}
      </MenuChoice>
    </>
  );
}

export function ViewChoices({ view, onView }: { view: View; onView: (view: View) => void }) {
  return (
    <>
      <MenuLabel>{t("view.title")}</MenuLabel>
      {shownViews.map((one) => (
        <MenuChoice
          key={one.view}
          chosen={one.view === view}
          icon={<one.icon aria-hidden />}
          onSelect={() => onView(one.view)}
        >
          {t(one.name)}
        </MenuChoice>
      ))}
    </>
  );
}

export function NumberChoices({ filter, onChange, numbers }: Props & { numbers: Instance[] }) {
  const ways = mixed(numbers);
  return (
    <>
      <MenuLabel>{t("filter.number")}</MenuLabel>
      <MenuChoice chosen={!filter.instanceId} onSelect={() => onChange({ instanceId: undefined })}>
        {t("filter.allNumbers")}
      </MenuChoice>
      {numbers.map((one) => (
        <MenuChoice
          key={one.id}
          chosen={one.id === filter.instanceId}
          onSelect={() => onChange({ instanceId: one.id })}
        >
          {ways ? numberBy(one) : one.name}
        </MenuChoice>
      ))}
    </>
  );
}

export function LabelChoices({ filter, onChange, labels }: Props & { labels: Label[] }) {
  return (
    <>
      <MenuLabel>{t("filter.label")}</MenuLabel>
      <MenuChoice chosen={!filter.label} onSelect={() => onChange({ label: undefined })}>
        {t("filter.allLabels")}
      </MenuChoice>
      {labels.map((one) => (
        <MenuChoice
          key={one.id}
          chosen={one.id === filter.label}
          icon={<Dot colour={one.colour} className="size-2.5" />}
          onSelect={() => onChange({ label: one.id })}
        >
          {one.name}
        </MenuChoice>
      ))}
    </>
  );
}
