import type { ReactNode } from "react";
import { t } from "~/i18n/t";
import { Button } from "./Button";
import { BoneRows, EndOfList, Failed, Loading } from "./states";

interface Query {
  isPending: boolean;
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
  hasNextPage?: boolean;
  isFetchingNextPage?: boolean;
  isFetchNextPageError?: boolean;
  fetchNextPage?: () => unknown;
}

interface Props<T> {
  query: Query;
  /** What has been read so far; undefined while nothing came. */
  items: T[] | undefined;
  /** What to say when it did not load. */
  failed: string;
  /** Nothing yet, or nothing that fits the filter: the page knows which. */
  empty: ReactNode;
  /** The line below the last item. */
  end?: ((n: number) => string) | undefined;
  /** Rows of the skeleton. */
  rows?: number;
  /** The next page comes by scrolling: no button asks for it. */
  scrolls?: boolean;
  /** The list itself; `tail` belongs below it: more, what went wrong, or the end. */
  children: (items: T[], tail: ReactNode) => ReactNode;
}

/** A list in its five states: loading, failed, empty, more to come, at its end. */
export function Listing<T>({ query, items, failed, empty, end, rows = 4, scrolls, children }: Props<T>) {
  if (query.isPending)
    return (
      <Loading>
        <BoneRows rows={rows} />
      </Loading>
    );
  if (!items || (query.isError && items.length === 0))
    return <Failed error={query.error} what={failed} onRetry={() => void query.refetch()} />;
  if (items.length === 0) return empty;
  const tail = query.isFetchNextPageError ? (
    <Failed error={query.error} what={failed} onRetry={() => void query.fetchNextPage?.()} />
  ) : query.hasNextPage ? (
    !scrolls && (
      <div className="flex justify-center border-t border-border py-4">
        <Button
          size="dense"
          busy={query.isFetchingNextPage && t("state.loading")}
          onClick={() => void query.fetchNextPage?.()}
        >
          {t("state.more")}
        </Button>
      </div>
    )
  ) : (
    end && <EndOfList>{end(items.length)}</EndOfList>
  );
  return children(items, tail);
}
