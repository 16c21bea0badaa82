import { useInfiniteQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowUp } from "lucide-react";
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { flatten } from "~/api/pages";
import { useSession } from "~/api/session";
import { type Conversation, may } from "~/api/types";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { Bone, EndOfList, Failed, Loading } from "~/ui/states";
import { useNarrow } from "~/ui/useNarrow";
import { ConversationRow } from "./ConversationRow";
import { type Reading, useCalm } from "./calm";
import { useDrafts } from "./drafts";
import { type Filter, lastAt } from "./filter";
import { useLabels } from "./labels";
import { conversations } from "./queries";
import { RowMenu } from "./RowMenu";
import { denseRows } from "./settings";

interface Props {
  filter: Filter;
  openId: string | undefined;
  to: (id: string) => string;
  several: boolean;
  mixed?: boolean;
  /** Shown when there is nothing; what to say depends on numbers and filters, which the page knows. */
  empty: ReactNode;
  /** Tells the page the order on screen, for the keys that go up and down. */
  onOrder: (ids: string[]) => void;
}

const reading: Reading<Conversation> = {
  stamp: lastAt,
  isNews: (one) => one.lastMessage?.direction === "inbound",
};

function Skeleton({ dense }: { dense: boolean }) {
  return Array.from({ length: 9 }, (_, at) => (
    <div
      key={at}
      className={cn(
        "grid grid-cols-[40px_1fr_32px] items-center gap-3 border-b border-border px-3.5",
        dense ? "h-14" : "h-18",
      )}
    >
      <Bone className={cn("rounded-full", dense ? "size-8" : "size-10")} />
      <span className="flex flex-col gap-2">
        <Bone className={at % 2 ? "w-3/5" : "w-2/5"} />
        <Bone className={at % 3 ? "w-11/12" : "w-3/5"} />
      </span>
      <Bone />
    </div>
  ));
}

/** The conversations of one view. Only the rows in sight exist; the rest is a number. */
export function ConversationList({ filter, openId, to, several, mixed, empty, onOrder }: Props) {
  const session = useSession();
  const drafts = useDrafts();
  const labels = useLabels();
  const phone = useNarrow();
  const dense = denseRows.use();
  const [menu, setMenu] = useState<{ row: Conversation; x: number; y: number }>();
  const onMenu = useMemo(
    () =>
      may(session, "agent") ? (row: Conversation, at: { x: number; y: number }) => setMenu({ row, ...at }) : undefined,
    [session],
  );
  const query = useInfiniteQuery(conversations(filter));
  const live = useMemo(() => flatten(query.data), [query.data]);

  const scroller = useRef<HTMLDivElement>(null);
  const [away, setAway] = useState(false);
  const [pointed, setPointed] = useState(false);
  const { items, news } = useCalm(live, away || pointed, JSON.stringify(filter), reading);

  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (phone ? (dense ? 72 : 92) : dense ? 56 : 72),
    getItemKey: (at) => items[at]?.id ?? at,
    overscan: 8,
  });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isFetchNextPageError } = query;
  useEffect(() => {
    if (last >= items.length - 15 && hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [last, items.length, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  // With the rows, not after them: J may be pressed as soon as they are seen.
  useLayoutEffect(() => onOrder(items.map((one) => one.id)), [items, onOrder]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new row height asks for a new measure
  useEffect(() => rows.measure(), [phone, dense]);
  // The open row is kept in sight when the keys J and K move it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when another conversation is opened
  useEffect(() => {
    const at = items.findIndex((one) => one.id === openId);
    if (at >= 0) rows.scrollToIndex(at, { align: "auto" });
  }, [openId]);

  if (query.isPending)
    return (
      <Loading label={t("inbox.loading")}>
        <Skeleton dense={dense} />
      </Loading>
    );
  if (query.isError && !query.data)
    return <Failed error={query.error} what={t("inbox.failed")} onRetry={() => void query.refetch()} />;
  if (items.length === 0 && live.length === 0) return empty;

  return (
    <div className="relative min-h-0 flex-1">
      {news > 0 && (
        <button
          type="button"
          data-testid="new-pill"
          onClick={() => {
            setPointed(false);
            setAway(false);
            scroller.current?.scrollTo({ top: 0 });
          }}
          className="appear absolute start-1/2 top-2 z-10 phone:-top-8 flex h-8 -translate-x-1/2 items-center gap-1.5 rounded-full bg-primary px-3.5 text-13 font-medium text-on-primary shadow-menu hover:bg-primary-hover rtl:translate-x-1/2"
        >
          <ArrowUp size={14} aria-hidden />
          {t("inbox.news", { n: news })}
        </button>
      )}
      <div
        ref={scroller}
        data-testid="conversation-scroller"
        className="h-full overflow-y-auto overscroll-contain"
        onScroll={(event) => setAway(event.currentTarget.scrollTop > 8)}
        onPointerEnter={(event) => event.pointerType === "mouse" && setPointed(true)}
        onPointerLeave={() => setPointed(false)}
      >
        <ul
          data-testid="conversation-list"
          aria-label={t("inbox.list")}
          className="relative"
          style={{ height: rows.getTotalSize() }}
        >
          {visible.map((place) => {
            const row = items[place.index];
            if (!row) return null;
            return (
              <li
                key={place.key}
                aria-setsize={hasNextPage ? -1 : items.length}
                aria-posinset={place.index + 1}
                className="absolute inset-x-0 top-0"
                style={{ height: place.size, transform: `translateY(${place.start}px)` }}
              >
                <ConversationRow
                  row={row}
                  open={row.id === openId}
                  draft={row.id === openId ? undefined : drafts.get(row.id)}
                  to={to(row.id)}
                  user={session.user.id}
                  labels={labels}
                  several={several}
                  mixed={!!mixed}
                  phone={phone}
                  dense={dense}
                  onMenu={onMenu}
                />
              </li>
            );
          })}
        </ul>
        {query.isFetchNextPageError ? (
          <Failed error={query.error} what={t("inbox.moreFailed")} onRetry={() => void fetchNextPage()} />
        ) : hasNextPage ? (
          <div aria-hidden="true" className="h-18" />
        ) : (
          <EndOfList>{t("inbox.end", { n: items.length })}</EndOfList>
        )}
      </div>
      {menu && <RowMenu row={menu.row} at={menu} onClose={() => setMenu(undefined)} />}
    </div>
  );
}
