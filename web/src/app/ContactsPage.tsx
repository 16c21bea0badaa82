import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { MessageSquare, Plus, Search } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { flatten } from "~/api/pages";
import { useSession } from "~/api/session";
import { type Contact, may } from "~/api/types";
import { ContactPane, StatusChip } from "~/features/contacts/ContactPane";
import { contacts } from "~/features/contacts/queries";
import StartDialog from "~/features/contacts/StartDialog";
import { toWrite } from "~/features/conversations/toWrite";
import { instances } from "~/features/instances/queries";
import { phone } from "~/i18n/format";
import { nameOf } from "~/i18n/name";
import { type PlainKey, t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { inputDense } from "~/ui/Field";
import { Listing } from "~/ui/Listing";
import { Empty, NothingMatches } from "~/ui/states";
import { useNarrow } from "~/ui/useNarrow";
import { When } from "~/ui/When";
import { useKeys } from "./keyboard";
import { PageHead } from "./PageHead";
import { useTitle } from "./title";
import { useOpenTalk } from "./useOpenTalk";
import { useWords } from "./useWords";

const statuses = ["", "new", "active", "paused", "archived"] as const;
const ROW = 56;

/** What stands beside the name, and its heading over it: as wide in every row. */
const columns = {
  phone: "w-36 shrink-0 text-13 text-muted tabular-nums",
  status: "w-24 shrink-0",
  last: "shrink-0 text-end text-12 whitespace-nowrap text-muted tabular-nums phone:w-24",
};

/** Everyone who has written, or has been written to. */
export default function ContactsPage() {
  const session = useSession();
  const [params, setParams] = useSearchParams();
  const { words, asked, type } = useWords();
  const status = (params.get("status") ?? "") as Contact["status"] | "";
  const chosen = params.get("contact");
  const [starting, start] = useState(false);
  const navigate = useNavigate();
  const narrow = useNarrow();
  const { open, busy } = useOpenTalk();
  const box = useRef<HTMLInputElement>(null);
  const numbers = useQuery(instances).data ?? [];
  const agent = may(session, "agent");
  useTitle(t("place.contacts"));

  const put = (name: string, value: string | null) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: name !== "contact" },
    );
  useKeys({ "/": () => box.current?.focus(), Escape: () => chosen && put("contact", null) });

  const query = useInfiniteQuery(contacts({ search: asked.trim(), status }));
  const all = useMemo(() => flatten(query.data), [query.data]);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: all.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const last = rows.getVirtualItems().at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  useEffect(() => {
    if (last >= all.length - 15 && hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [last, all.length, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  const body = (
    <Listing
      query={query}
      items={query.data && all}
      rows={8}
      scrolls
      failed={t("contacts.failed")}
      empty={
        words || status ? (
          <NothingMatches
            title={
              words
                ? t("search.nothing", { words })
                : t("contacts.none", { status: t(`contact.status.${status}` as PlainKey) })
            }
            text={t("contacts.noneText")}
            onClear={() => {
              type("");
              setParams({}, { replace: true });
            }}
          />
        ) : (
          <Empty title={t("contacts.empty")} text={t("contacts.emptyText")} />
        )
      }
      end={(n) => t("contacts.end", { n })}
    >
      {(_, tail) => (
        <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto" data-testid="contact-scroller">
          {!narrow && (
            <div
              aria-hidden="true"
              className="sticky top-0 z-10 flex h-8 items-center gap-3 border-b border-border bg-surface ps-6 pe-3 text-12 text-muted"
            >
              <span className="flex-1" />
              <span className={columns.phone}>{t("contact.identity.phone")}</span>
              <span className={columns.status}>{t("contact.status")}</span>
              <span className={columns.last}>{t("contact.lastMessage")}</span>
              {agent && <span className="size-8 pointer-coarse:size-11" />}
            </div>
          )}
          <ul aria-label={t("place.contacts")} className="relative" style={{ height: rows.getTotalSize() }}>
            {rows.getVirtualItems().map((place) => {
              const one = all[place.index];
              if (!one) return null;
              return (
                <li
                  key={one.id}
                  aria-setsize={hasNextPage ? -1 : all.length}
                  aria-posinset={place.index + 1}
                  className="absolute inset-x-0 top-0"
                  style={{ height: ROW, transform: `translateY(${place.start}px)` }}
                >
                  <div
                    className={cn(
                      "press flex h-full items-center gap-3 border-b border-border ps-4 pe-3 phone:ps-6",
                      one.id === chosen ? "bg-selected" : "hover:bg-hover",
                    )}
                  >
                    <button
                      type="button"
                      data-testid="contact-row"
                      aria-current={one.id === chosen ? "true" : undefined}
                      onClick={() => put("contact", one.id)}
                      className="flex h-full min-w-0 flex-1 items-center gap-3 text-start focus-visible:-outline-offset-2"
                    >
                      <Avatar id={one.id} name={one.name ?? ""} size={40} />
                      <span className="min-w-0 flex-1">
                        <span dir="auto" className="block truncate font-medium at-start">
                          {nameOf(one)}
                        </span>
                        {narrow && one.phone && (
                          <span className="block text-12 text-muted tabular-nums">{phone(one.phone)}</span>
                        )}
                      </span>
                      {!narrow && (
                        <>
                          <span className={columns.phone}>{one.name && one.phone ? phone(one.phone) : ""}</span>
                          <span className={columns.status}>
                            <StatusChip status={one.status} />
                          </span>
                        </>
                      )}
                      <span className={columns.last}>{one.lastMessageAt && <When at={one.lastMessageAt} />}</span>
                    </button>
                    {agent && (
                      <button
                        type="button"
                        aria-label={t("contacts.write", { name: nameOf(one) })}
                        title={t("contacts.write", { name: nameOf(one) })}
                        onClick={() => open({ contactId: one.id })}
                        className="press grid size-8 place-items-center rounded-control text-muted hover:bg-well hover:text-text pointer-coarse:size-11"
                      >
                        <MessageSquare size={16} aria-hidden />
                      </button>
                    )}
                  </div>
                </li>
              );
            })}
          </ul>
          {tail}
        </div>
      )}
    </Listing>
  );

  return (
    <div className="flex h-full min-h-0 flex-col">
      <PageHead
        title={t("place.contacts")}
        actions={
          agent && (
            <Button look="filled" icon={<Plus size={18} aria-hidden />} onClick={() => start(true)}>
              {t("inbox.start")}
            </Button>
          )
        }
      />
      <div className="relative flex min-h-0 flex-1">
        <section aria-label={t("place.contacts")} className="flex min-h-0 min-w-0 flex-1 flex-col bg-surface">
          <div className="flex flex-wrap items-center gap-2 border-b border-border px-4 py-3 phone:px-6">
            <div className="relative min-w-40 flex-1 max-phone:basis-full phone:max-w-80">
              <Search
                size={16}
                aria-hidden
                className="pointer-events-none absolute start-3 top-1/2 -translate-y-1/2 text-muted"
              />
              <input
                ref={box}
                type="search"
                value={words}
                onChange={(event) => type(event.target.value)}
                aria-label={t("contacts.search")}
                placeholder={t("contacts.search")}
                className={`${inputDense} w-full ps-9`}
              />
            </div>
            <select
              aria-label={t("contact.status")}
              value={status}
              onChange={(event) => put("status", event.target.value)}
              className={inputDense}
            >
              {statuses.map((one) => (
                <option key={one} value={one}>
                  {one ? t(`contact.status.${one}` as PlainKey) : t("contacts.all")}
                </option>
              ))}
            </select>
          </div>
          {body}
        </section>
        {chosen && (
          <div className="appear min-h-0 w-80 shrink-0 border-s border-border max-two:absolute max-two:inset-y-0 max-two:end-0 max-two:z-20 max-two:shadow-dialog max-phone:w-full">
            <ContactPane key={chosen} id={chosen} onClose={() => put("contact", null)}>
              {agent && (
                <Button
                  size="dense"
                  look="filled"
                  className="w-full"
                  icon={<MessageSquare size={16} aria-hidden />}
                  onClick={() => open({ contactId: chosen })}
                  busy={busy && t("start.busy")}
                >
                  {t("contacts.talk")}
                </Button>
              )}
            </ContactPane>
          </div>
        )}
      </div>
      <StartDialog
        open={starting}
        onClose={() => start(false)}
        instances={numbers}
        country={session.tenant.country}
        onStarted={(one) => navigate(`/chat/${one}`, { state: toWrite })}
      />
    </div>
  );
}
