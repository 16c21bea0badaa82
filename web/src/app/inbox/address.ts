import { useCallback, useMemo } from "react";
import { useParams, useSearchParams } from "react-router";
import { type Filter, readFilter, type View, writeFilter } from "~/features/conversations/filter";

/** What the address of the inbox says, and the addresses inside it: a link, a reload and the back button keep it all. */
export function useAddress() {
  const { id } = useParams();
  const [search, setSearch] = useSearchParams();
  const suffix = search.size ? `?${search}` : "";
  return {
    /** The conversation that is open. */
    id,
    filter: useMemo(() => readFilter(search), [search]),
    change: useCallback(
      (part: Partial<Filter>) => setSearch((before) => writeFilter(before, part), { replace: true }),
      [setSearch],
    ),
    /** The list as it is, with no conversation open. */
    list: `/chat${suffix}`,
    /** A conversation, beside the list as it is. */
    to: useCallback((one: string) => `/chat/${one}${suffix}`, [suffix]),
    /** A view of the list, beside the conversation that is open. */
    toView: useCallback(
      (view: View) => {
        const next = writeFilter(search, { view });
        next.delete("q");
        return `/chat${id ? `/${id}` : ""}${next.size ? `?${next}` : ""}`;
      },
      [search, id],
    ),
  };
}

export type Address = ReturnType<typeof useAddress>;
