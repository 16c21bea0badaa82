import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowDown } from "lucide-react";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "react-router";
import { flatten } from "~/api/pages";
import { useSession } from "~/api/session";
import type { Conversation, Message } from "~/api/types";
import { dayName } from "~/i18n/format";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Count } from "~/ui/Count";
import { part } from "~/ui/part";
import { Bone, EndOfList, Failed, Loading } from "~/ui/states";
import { useNow } from "~/ui/useNow";
import { Album } from "./Album";
import { Bubble } from "./Bubble";
import { place } from "./cache";
import { kindName } from "./kinds";
import type { BubbleActions } from "./MessageMenu";
import { NoteCard } from "./NoteCard";
import { outbox, useOutgoing } from "./outbox";
import { messages } from "./queries";
import { aloud } from "./settings";
import { among, arrange, asMessage, firstUnread, pictures, type Said } from "./thread";
import { useTyping } from "./typing";

const Lightbox = part(() => import("./Lightbox"));

/** Closer than this to the end counts as reading along. */
const NEAR = 80;

function Skeleton() {
  return (
    <div className="flex flex-col justify-end gap-3 p-4">
      {["w-3/5", "w-2/5 self-end", "w-1/2", "w-1/3 self-end", "w-2/3"].map((shape) => (
        <Bone key={shape} className={`h-11 rounded-[14px] ${shape}`} />
      ))}
    </div>
  );
}

/** Reads new messages of the customer to those who cannot see them; only in the conversation that is open. */
function Announcer({ newest, contact }: { newest: Message | undefined; contact: string }) {
  const on = aloud.use();
  const first = useRef(newest?.id);
  if (!on || !newest || newest.id === first.current || newest.direction !== "inbound")
    return <div className="sr-only" aria-live="polite" />;
  return (
    <div className="sr-only" aria-live="polite">
      {t("thread.announce", { who: contact, text: newest.body || kindName(newest.kind) })}
    </div>
  );
}

interface Props {
  conversation: Conversation;
  actions: Omit<BubbleActions, "onJump" | "onOpen">;
  /** Called when the newest messages are in sight. */
  onSeen: () => void;
}

/**
 * The thread. The scroller counts from its end (column-reverse), so that older messages can be added above without
 * anything moving, and new ones below keep the reader at the end if that is where they were.
 */
export function MessageList({ conversation, actions, onSeen }: Props) {
  const { user } = useSession();
  const client = useQueryClient();
  const now = useNow();
  const contact = nameOf(conversation.contact);
  const query = useInfiniteQuery(messages(conversation.id));
  const loaded = useMemo(() => flatten(query.data), [query.data]);
  const notes = useMemo(() => query.data?.pages.flatMap((page) => page.notes) ?? [], [query.data]);
  const outgoing = useOutgoing(conversation.id);
  const typing = useTyping(conversation.id);

  const [unreadId, setUnreadId] = useState<string | undefined>();
  const marked = useRef(false);
  if (!marked.current && query.data) {
    marked.current = true;
    const id = firstUnread(loaded, conversation.unreadCount);
    if (id) setUnreadId(id);
  }

  const days = useMemo(() => {
    const byId = new Map(loaded.map((one) => [one.id, one]));
    const entries: Said[] = loaded.toReversed().map((message) => ({ key: outbox.elementKey(message.id), message }));
    for (const one of outgoing)
      entries.push({ key: one.key, outgoing: one, message: asMessage(one, byId.get(one.replyTo ?? ""), user) });
    return arrange(among(entries, notes), unreadId);
  }, [loaded, notes, outgoing, unreadId, user]);

  const scroller = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const [missed, setMissed] = useState(0);

  // Something was added below while the reader was further up: keep what they look at where it is.
  const newest = loaded[0];
  const note = notes[0];
  const lastKey = outgoing.at(-1)?.key ?? (note && (!newest || place(note) > place(newest)) ? note.id : newest?.id);
  const before = useRef<{ key: string | undefined; height: number }>({ key: undefined, height: 0 });
  useLayoutEffect(() => {
    const box = scroller.current;
    const height = inner.current?.offsetHeight ?? 0;
    const { key, height: old } = before.current;
    if (box && key && key !== lastKey) {
      // The newest note may have been deleted: nothing came.
      const gone = key.startsWith("nte_") && !notes.some((one) => one.id === key);
      const mine = note?.id === lastKey && note?.author.id === user.id;
      if (outgoing.at(-1)?.key === lastKey || (mine && !gone)) box.scrollTop = 0;
      else if (box.scrollTop < -NEAR) {
        box.scrollTop -= height - old;
        if (!gone) setMissed((n) => n + 1);
      }
    }
    before.current = { key: lastKey, height };
  }, [lastKey, note, notes, outgoing, user]);

  // Opens at the first unread message.
  const opened = useRef(false);
  useLayoutEffect(() => {
    if (opened.current || !query.data) return;
    opened.current = true;
    if (unreadId) inner.current?.querySelector("[data-unread]")?.scrollIntoView({ block: "center" });
  }, [query.data, unreadId]);

  // Seen is what was in sight on a page that is looked at.
  useEffect(() => {
    const see = () => {
      if (document.visibilityState === "visible" && conversation.unreadCount > 0 && query.data) onSeen();
    };
    see();
    document.addEventListener("visibilitychange", see);
    return () => document.removeEventListener("visibilitychange", see);
  }, [conversation.unreadCount, onSeen, query.data]);

  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const top = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const mark = top.current;
    if (!mark || !hasNextPage || isFetchNextPageError) return;
    const watcher = new IntersectionObserver(
      (seen) => seen.some((one) => one.isIntersecting) && !isFetchingNextPage && void fetchNextPage(),
      { root: scroller.current, rootMargin: "600px 0px" },
    );
    watcher.observe(mark);
    return () => watcher.disconnect();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  const jump = useCallback(
    async (id: string, how: ScrollBehavior = "smooth") => {
      // The source may not be loaded yet: read back until it is, within reason.
      let older = true;
      for (let tries = 0; tries < 20; tries += 1) {
        const found = inner.current?.querySelector(`[data-id="${CSS.escape(id)}"]`);
        if (found) {
          found.scrollIntoView({ block: "center", behavior: how });
          found.animate?.([{ backgroundColor: "var(--selected)" }, {}], { duration: 2400 });
          return;
        }
        if (!older || !inner.current) return; // there is no more of it, or nobody looks any more
        const page = await fetchNextPage({ cancelRefetch: false });
        if (page.isFetchNextPageError) return;
        older = page.hasNextPage;
        // What has come is drawn a moment later.
        await new Promise((drawn) => setTimeout(drawn, 50));
      }
    },
    [fetchNextPage],
  );
  const [large, enlarge] = useState<Said>();
  // The address may name a message: a search has found it.
  const { hash, key: visit } = useLocation();
  const here = !!query.data;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each visit goes there again
  useEffect(() => {
    if (here && hash.startsWith("#msg_")) void jump(hash.slice(1), "instant");
  }, [here, hash, visit, jump]);
  const all = useMemo<BubbleActions>(
    () => ({ ...actions, onJump: (id) => void jump(id), onOpen: enlarge }),
    [actions, jump],
  );

  if (query.isPending)
    return (
      <div className="flex min-h-0 flex-1 flex-col justify-end">
        <Loading label={t("thread.loading")}>
          <Skeleton />
        </Loading>
      </div>
    );
  if (query.isError && !query.data)
    return (
      <div className="min-h-0 flex-1">
        <Failed
          error={query.error}
          what={t("thread.failed")}
          onRetry={() => void client.refetchQueries({ queryKey: ["messages", conversation.id] })}
        />
      </div>
    );

  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div
        ref={scroller}
        data-testid="thread"
        role="log"
        aria-live="off"
        aria-label={t("thread.label", { who: contact })}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={(event) => {
          const end = event.currentTarget.scrollTop > -NEAR;
          setAtEnd(end);
          if (end) setMissed(0);
        }}
        className="flex min-h-0 flex-1 flex-col-reverse overflow-y-auto overscroll-contain [overflow-anchor:none] focus-visible:-outline-offset-2"
      >
        <div ref={inner} className="px-3 pb-3 phone:px-4.5">
          <div ref={top} />
          {query.isFetchNextPageError ? (
            <Failed error={query.error} what={t("thread.olderFailed")} onRetry={() => void fetchNextPage()} />
          ) : hasNextPage ? (
            <p className="py-3 text-center text-12 text-muted">{t("thread.older")}</p>
          ) : (
            <EndOfList>{t(loaded.length + notes.length ? "thread.start" : "thread.empty")}</EndOfList>
          )}
          {days.map((one) => (
            <section key={one.key} aria-label={dayName(one.at, now)}>
              <div className="pointer-events-none sticky top-1.5 z-10 my-1.5 flex justify-center">
                <span className="rounded-full border border-border bg-surface px-3 py-[3px] text-12 font-medium text-muted shadow-card">
                  {dayName(one.at, now)}
                </span>
              </div>
              {one.entries.map((entry) =>
                "note" in entry ? (
                  <NoteCard key={entry.key} note={entry.note} />
                ) : (
                  <div key={entry.key}>
                    {entry.unread && (
                      <div data-unread className="flex items-center gap-3 pt-3 text-12 font-medium text-ember">
                        <span className="h-px flex-1 bg-ember" />
                        {t("thread.unread")}
                        <span className="h-px flex-1 bg-ember" />
                      </div>
                    )}
                    {entry.album ? (
                      <Album entry={{ ...entry, album: entry.album }} contact={contact} user={user.id} actions={all} />
                    ) : (
                      <Bubble entry={entry} contact={contact} user={user.id} actions={all} />
                    )}
                  </div>
                ),
              )}
            </section>
          ))}
          {typing && (
            <p data-testid="typing" className="appear flex items-center gap-2 pt-2.5 text-12 text-muted">
              <span
                className="flex h-7 items-center gap-1 rounded-[14px] bg-bubble-in px-3 shadow-[inset_0_0_0_1px_var(--bubble-edge)]"
                aria-hidden="true"
              >
                <span className="size-1.5 rounded-full bg-control" />
                <span className="size-1.5 rounded-full bg-control opacity-70" />
                <span className="size-1.5 rounded-full bg-control opacity-40" />
              </span>
              {t("thread.typing", { who: contact })}
            </p>
          )}
        </div>
      </div>
      {!atEnd && (
        <button
          type="button"
          data-testid="jump-latest"
          aria-label={missed ? t("thread.latestCount", { n: missed }) : t("thread.latest")}
          onClick={() => scroller.current?.scrollTo({ top: 0, behavior: "smooth" })}
          className="appear absolute inset-x-0 bottom-3 mx-auto grid size-10 place-items-center rounded-full border border-border bg-raised text-muted shadow-menu hover:text-text"
        >
          <ArrowDown size={18} aria-hidden />
          {missed > 0 && <Count n={missed} className="absolute -end-1 -top-1.5" />}
        </button>
      )}
      {large && (
        <Lightbox first={large} pictures={pictures(days)} actions={actions} onClose={() => enlarge(undefined)} />
      )}
      <Announcer key={conversation.id} newest={newest} contact={contact} />
    </div>
  );
}
