import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { api, take } from "~/api/client";
import type { Page, SearchHit } from "~/api/types";
import { phone } from "~/i18n/format";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Button } from "~/ui/Button";
import { BoneRows, EndOfList, Failed, Loading, NothingMatches } from "~/ui/states";
import { When } from "~/ui/When";
import { KindIcon } from "./kinds";

export const search = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["search", q],
    queryFn: ({ pageParam, signal }): Promise<Page<SearchHit>> =>
      take(
        api.GET("/api/search", { params: { query: { q, limit: 30, ...(pageParam && { after: pageParam }) } }, signal }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: 15_000,
  });

/** The words that were looked for, marked where they stand. */
export function Marked({ text, words }: { text: string; words: string }): ReactNode {
  const terms = words
    .split(/\s+/)
    .filter((one) => one.length > 1)
    .map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (terms.length === 0) return text;
  return text.split(new RegExp(`(${terms.join("|")})`, "giu")).map((part, at) =>
    at % 2 ? (
      <mark key={at} className="rounded-[2px] bg-ember-tint text-text">
        {part}
      </mark>
    ) : (
      part
    ),
  );
}

/** What was found in messages and contacts, newest first. */
export function SearchResults({
  words,
  to,
  onContact,
  onClear,
}: {
  words: string;
  to: (conversation: string) => string;
  onContact: (contact: SearchHit["contact"]) => void;
  onClear: () => void;
}) {
  const query = useInfiniteQuery(search(words));
  if (query.isPending)
    return (
      <Loading label={t("search.loading")}>
        <BoneRows rows={6} />
      </Loading>
    );
  if (query.isError && !query.data)
    return <Failed error={query.error} what={t("search.failed")} onRetry={() => void query.refetch()} />;
  const hits = query.data.pages.flatMap((page) => page.items);
  if (hits.length === 0)
    return <NothingMatches title={t("search.nothing", { words })} text={t("search.nothingHint")} onClear={onClear} />;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto" data-testid="search-results">
      <ul aria-label={t("search.results")}>
        {hits.map((hit) => {
          const name = nameOf(hit.contact);
          const inside = (
            <>
              <Avatar id={hit.contact.id} name={hit.contact.name ?? ""} size={32} />
              <span className="min-w-0 flex-1">
                <span className="flex items-baseline gap-2">
                  <span className="truncate font-medium">
                    <Marked text={name} words={words} />
                  </span>
                  {hit.message && (
                    <When at={hit.message.createdAt} className="ms-auto shrink-0 text-12 text-muted tabular-nums" />
                  )}
                </span>
                <span className="flex items-center gap-1 text-13 text-muted">
                  {hit.message && <KindIcon kind={hit.message.kind} />}
                  <span dir="auto" className="line-clamp-2">
                    {hit.kind === "contact" ? (
                      hit.contact.phone && phone(hit.contact.phone)
                    ) : (
                      <Marked text={hit.snippet || hit.message?.preview || ""} words={words} />
                    )}
                  </span>
                </span>
              </span>
            </>
          );
          const look =
            "press flex w-full items-start gap-3 border-b border-border px-3.5 py-2.5 text-start hover:bg-hover focus-visible:-outline-offset-2";
          return (
            <li key={hit.message?.id ?? hit.contact.id}>
              {hit.conversationId ? (
                <Link
                  to={to(hit.conversationId) + (hit.message ? `#${hit.message.id}` : "")}
                  className={look}
                  data-testid="search-hit"
                >
                  {inside}
                </Link>
              ) : (
                <button type="button" className={look} onClick={() => onContact(hit.contact)}>
                  {inside}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {query.hasNextPage ? (
        <div className="flex justify-center py-4">
          <Button
            size="dense"
            busy={query.isFetchingNextPage && t("state.loading")}
            onClick={() => void query.fetchNextPage()}
          >
            {t("state.more")}
          </Button>
        </div>
      ) : (
        <EndOfList>{t("search.end", { n: hits.length })}</EndOfList>
      )}
    </div>
  );
}
