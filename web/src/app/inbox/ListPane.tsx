import { useQuery } from "@tanstack/react-query";
import { ArrowDownWideNarrow, ListFilter, Plus } from "lucide-react";
import { useNavigate } from "react-router";
import { ConversationList } from "~/features/conversations/ConversationList";
import { everything, isNarrowed } from "~/features/conversations/filter";
import { labels as labelsQuery } from "~/features/conversations/labels";
import { counts as countsQuery } from "~/features/conversations/queries";
import { ViewPills, viewName } from "~/features/conversations/Views";
import { instances as instancesQuery } from "~/features/instances/queries";
import { mixed } from "~/i18n/name";
import { type PlainKey, t } from "~/i18n/t";
import { IconButton } from "~/ui/IconButton";
import { Menu, MenuSeparator } from "~/ui/Menu";
import { PhoneHead } from "../PhoneHead";
import type { Words } from "../useWords";
import type { Address } from "./address";
import { DenseChoice, LabelChoices, NumberChoices, SortChoices, ViewChoices } from "./choices";
import { Found } from "./Found";
import { NothingListed } from "./NothingListed";
import { SearchBox } from "./SearchBox";

interface Props {
  address: Address;
  search: Words;
  /** The whole width is its own. */
  phone: boolean;
  /** There is no room for the views as a pane: the menu has them. */
  foldedViews: boolean;
  /** What stands in the list, from the top. */
  onOrder: (ids: string[]) => void;
  /** Begins a conversation, for those who may. */
  onStart: (() => void) | undefined;
}

/** The list with its head: what is looked for, what is shown, in which order. */
export function ListPane({ address, search, phone, foldedViews, onOrder, onStart }: Props) {
  const { id, filter, change, to, toView } = address;
  const navigate = useNavigate();
  const counts = useQuery(countsQuery).data;
  const numbers = useQuery(instancesQuery).data;
  const labels = useQuery(labelsQuery).data;
  const several = !!numbers && numbers.length > 1;
  const place = [
    numbers?.find((one) => one.id === filter.instanceId)?.name,
    labels?.find((one) => one.id === filter.label)?.name,
  ].filter((one) => one !== undefined);

  const searchBox = <SearchBox words={search.words} onWords={search.type} phone={phone} />;
  const sort = <SortChoices filter={filter} onChange={change} />;
  const within = (
    <>
      {several && <NumberChoices filter={filter} onChange={change} numbers={numbers} />}
      {!!labels?.length && <LabelChoices filter={filter} onChange={change} labels={labels} />}
    </>
  );

  const phoneHead = (
    <PhoneHead
      title={t("inbox.title")}
      actions={
        <Menu
          label={t("filter.title")}
          trigger={
            <button type="button" aria-label={t("filter.title")} className="grid size-11 place-items-center">
              <ListFilter size={20} aria-hidden />
            </button>
          }
        >
          {sort}
          {within}
          <DenseChoice />
        </Menu>
      }
    >
      {searchBox}
    </PhoneHead>
  );

  const head = (
    <div className="border-b border-border px-3 pt-3 pb-2">
      {foldedViews && <h1 className="sr-only">{t("inbox.title")}</h1>}
      <div className="flex items-center gap-1">
        {searchBox}
        {(several || foldedViews || !!labels?.length) && (
          <Menu
            label={t("filter.title")}
            trigger={
              <IconButton
                label={t("filter.title")}
                icon={<ListFilter size={18} aria-hidden />}
                aria-pressed={!!filter.instanceId || !!filter.label || undefined}
              />
            }
          >
            {foldedViews && <ViewChoices view={filter.view} onView={(view) => navigate(toView(view))} />}
            {foldedViews && several && <MenuSeparator />}
            {within}
          </Menu>
        )}
        {onStart && (
          <IconButton
            label={t("inbox.start")}
            icon={<Plus size={18} aria-hidden />}
            onClick={onStart}
            data-testid="start"
          />
        )}
      </div>
      {!search.words && (
        <div className="mt-1.5 flex h-6 items-center text-12 text-muted">
          <span className="truncate tabular-nums">
            {foldedViews || isNarrowed(filter) || !counts ? viewName(filter.view) : t("inbox.open", { n: counts.open })}
            {place.map((one) => ` · ${one}`)}
          </span>
          <Menu
            label={t("sort.title")}
            trigger={
              <button
                type="button"
                data-testid="sort"
                className="press ms-auto flex h-6 items-center gap-1 rounded-control px-1.5 hover:bg-hover hover:text-text"
              >
                <ArrowDownWideNarrow size={14} aria-hidden />
                {t(`sort.${filter.sort}` as PlainKey)}
              </button>
            }
          >
            {sort}
            <DenseChoice />
          </Menu>
        </div>
      )}
    </div>
  );

  return (
    <section aria-label={t("inbox.title")} className="relative flex min-h-0 min-w-0 flex-col bg-surface">
      {phone ? phoneHead : head}
      {phone && !search.words && <ViewPills view={filter.view} counts={counts} to={toView} />}
      {search.words && search.asked ? (
        <Found words={search.asked} to={to} onClear={() => search.type("")} />
      ) : (
        <ConversationList
          filter={filter}
          openId={id}
          to={to}
          several={several}
          mixed={mixed(numbers)}
          empty={
            <NothingListed
              filter={filter}
              place={place}
              numbers={numbers}
              alone={phone}
              onClear={() => change(everything)}
              onStart={onStart}
            />
          }
          onOrder={onOrder}
        />
      )}
      {phone && onStart && (
        <button
          type="button"
          aria-label={t("inbox.start")}
          onClick={onStart}
          className="absolute end-4 bottom-4 grid size-14 place-items-center rounded-[18px] bg-primary text-on-primary shadow-menu"
        >
          <Plus size={22} aria-hidden />
        </button>
      )}
    </section>
  );
}
