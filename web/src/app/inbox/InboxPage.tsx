import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowDownWideNarrow, ListFilter, Plus, Search as SearchIcon, X } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { api, take } from "~/api/client";
import { describe, Problem } from "~/api/problem";
import { useSession } from "~/api/session";
import { type Conversation, type Message, may } from "~/api/types";
import { ContactPane } from "~/features/contacts/ContactPane";
import { useStart } from "~/features/contacts/queries";
import { useChange, useReact, useSettle } from "~/features/conversations/acts";
import type { BubbleActions } from "~/features/conversations/Bubble";
import { ConversationList } from "~/features/conversations/ConversationList";
import { known, putConversation } from "~/features/conversations/cache";
import { type Filter, readFilter, sorts, type View, writeFilter } from "~/features/conversations/filter";
import { Dot } from "~/features/conversations/LabelChip";
import { LabelSection } from "~/features/conversations/LabelSection";
import { labels as labelsQuery } from "~/features/conversations/labels";
import { MessageList } from "~/features/conversations/MessageList";
import { outbox } from "~/features/conversations/outbox";
import { conversation as conversationQuery, counts as countsQuery } from "~/features/conversations/queries";
import { SearchResults } from "~/features/conversations/Search";
import { denseRows } from "~/features/conversations/settings";
import { ThreadHeader } from "~/features/conversations/ThreadHeader";
import type { Entry } from "~/features/conversations/thread";
import { shownViews, ViewPills, ViewsPane, viewName } from "~/features/conversations/Views";
import { Writing, type WritingHandle } from "~/features/conversations/Writing";
import { instances as instancesQuery } from "~/features/instances/queries";
import { knownOf } from "~/features/quick_replies/variables";
import { nameOf, wayOf } from "~/i18n/name";
import { type PlainKey, t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { inputDense } from "~/ui/Field";
import { IconButton } from "~/ui/IconButton";
import { Menu, MenuChoice, MenuLabel, MenuSeparator } from "~/ui/Menu";
import { part } from "~/ui/part";
import { Splitter } from "~/ui/Splitter";
import { Empty, Failed, NothingMatches } from "~/ui/states";
import { toast } from "~/ui/toast";
import { useNarrow } from "~/ui/useNarrow";
import { useKeys } from "../keyboard";
import { say } from "../live";
import { PhoneHead } from "../PhoneHead";
import { contactOpen, contactWidth, listWidth } from "../panes";
import { useTitle } from "../title";
import { useWords } from "../useWords";
import { EmptyInbox } from "./EmptyInbox";

const StartDialog = part(() => import("~/features/contacts/StartDialog"));
const Details = part(() => import("~/features/conversations/Details"));
const CardDialog = part(() => import("./CardDialog"));
const quickPicker = () => import("~/features/quick_replies/Picker");
const QuickPicker = part(quickPicker);
const ReplyDialog = part(() => import("~/features/quick_replies/ReplyDialog"));

/** No filter. */
const everything: Partial<Filter> = { view: "all", instanceId: undefined, label: undefined };

/** The list, the thread and the contact, side by side as far as there is room. */
export default function InboxPage() {
  const { id } = useParams();
  const [search, setSearch] = useSearchParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const session = useSession();
  const filter = useMemo(() => readFilter(search), [search]);
  const { words, asked, type: find } = useWords();
  const counts = useQuery(countsQuery).data;
  const numbers = useQuery(instancesQuery).data;
  const labels = useQuery(labelsQuery).data;
  const onePane = useNarrow(640);
  const twoPanes = useNarrow(1024);
  const foldedViews = useNarrow(1179);
  const foldedContact = useNarrow(1359);
  const dense = denseRows.use();
  const width = listWidth.use();
  const contactPane = contactOpen.use();
  const contactSize = contactWidth.use();
  const [overlay, setOverlay] = useState(false);
  /** Undefined until it is asked for: the dialog comes with the first asking. */
  const [starting, start] = useState<boolean>();
  const box = useRef<HTMLInputElement>(null);
  const order = useRef<string[]>([]);

  const suffix = search.size ? `?${search}` : "";
  const to = useCallback((one: string) => `/chat/${one}${suffix}`, [suffix]);
  const toView = useCallback(
    (view: View) => {
      const next = writeFilter(search, { view });
      next.delete("q");
      return `${id && !onePane ? `/chat/${id}` : "/chat"}${next.size ? `?${next}` : ""}`;
    },
    [search, id, onePane],
  );
  const change = useCallback(
    (part: Partial<Filter>) => setSearch((before) => writeFilter(before, part), { replace: true }),
    [setSearch],
  );

  useTitle(id ? nameOf(known(client, id)?.contact ?? {}) : t("inbox.title"));
  const step = useCallback(
    (by: number) => {
      const at = order.current.indexOf(id ?? "");
      const next = order.current[at < 0 ? (by > 0 ? 0 : order.current.length - 1) : at + by];
      if (next) navigate(to(next));
    },
    [id, navigate, to],
  );
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    "/": () => box.current?.focus(),
    Escape: () => {
      if (overlay) setOverlay(false);
      else if (words) find("");
      else if (id && onePane) navigate(`/chat${suffix}`);
    },
  });

  const onOrder = useCallback((ids: string[]) => {
    order.current = ids;
  }, []);
  const several = (numbers?.length ?? 0) > 1;
  const mixed = new Set(numbers?.map((one) => one.provider)).size > 1;
  const filtered = filter.view !== "all" || !!filter.instanceId || !!filter.label;
  const agent = may(session, "agent");

  const chosen = labels?.find((one) => one.id === filter.label);
  const place = [numbers?.find((one) => one.id === filter.instanceId)?.name, chosen?.name].filter(Boolean);
  const within = [viewName(filter.view), ...place].join(" · ");

  const empty = filtered ? (
    filter.label ? (
      <NothingMatches
        title={t("empty.view", { view: within })}
        text={t("empty.viewText")}
        onClear={() => change(everything)}
      />
    ) : filter.view === "unread" || filter.view === "us" || filter.view === "mine" || filter.view === "unassigned" ? (
      <div className="min-h-0 flex-1 overflow-y-auto">
        <Empty
          title={t(`empty.${filter.view}` as PlainKey)}
          text={t("empty.doneText")}
          action={
            <Button size="dense" onClick={() => change(everything)}>
              {t("empty.showAll")}
            </Button>
          }
        />
      </div>
    ) : (
      <NothingMatches
        title={t("empty.view", { view: within })}
        text={t("empty.viewText")}
        onClear={() => change(everything)}
      />
    )
  ) : (
    <EmptyInbox numbers={numbers} onStart={agent ? () => start(true) : undefined} />
  );

  const searchBox = (
    <div className="relative min-w-0 flex-1">
      <SearchIcon
        size={16}
        aria-hidden
        className={cn(
          "pointer-events-none absolute start-3 top-1/2 -translate-y-1/2",
          onePane ? "text-rail-text" : "text-muted",
        )}
      />
      <input
        ref={box}
        type="search"
        data-testid="search"
        aria-label={t("inbox.search")}
        placeholder={t("inbox.search")}
        value={words}
        onChange={(event) => find(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          if (words) find("");
          else event.currentTarget.blur();
        }}
        className={cn(
          onePane
            ? "h-11 w-full rounded-full bg-rail-hover ps-10 pe-10 text-rail-strong placeholder:text-rail-text"
            : `${inputDense} w-full ps-9 pe-8`,
          "[&::-webkit-search-cancel-button]:hidden",
        )}
      />
      {words ? (
        <button
          type="button"
          aria-label={t("inbox.clearSearch")}
          onClick={() => find("")}
          className={cn(
            "absolute inset-y-0 end-0 grid w-8 place-items-center",
            onePane ? "text-rail-text" : "text-muted",
          )}
        >
          <X size={16} aria-hidden />
        </button>
      ) : (
        !onePane && (
          <span
            aria-hidden="true"
            className="pointer-events-none absolute end-2 top-1/2 -translate-y-1/2 rounded-small border border-border bg-surface px-1.25 font-sans text-11 text-muted"
          >
            /
          </span>
        )
      )}
    </div>
  );

  const sortMenu = (
    <>
      <MenuLabel>{t("sort.title")}</MenuLabel>
      {sorts.map((one) => (
        <MenuChoice key={one} chosen={one === filter.sort} onSelect={() => change({ sort: one })}>
          {t(`sort.${one}` as PlainKey)}
        </MenuChoice>
      ))}
    </>
  );
  const denseMenu = (
    <>
      <MenuSeparator />
      <MenuChoice chosen={dense} onSelect={() => denseRows.set(!dense)}>
        {t("preferences.dense")}
      </MenuChoice>
    </>
  );
  const numberMenu = several && (
    <>
      <MenuLabel>{t("filter.number")}</MenuLabel>
      <MenuChoice chosen={!filter.instanceId} onSelect={() => change({ instanceId: undefined })}>
        {t("filter.allNumbers")}
      </MenuChoice>
      {numbers?.map((one) => (
        <MenuChoice key={one.id} chosen={one.id === filter.instanceId} onSelect={() => change({ instanceId: one.id })}>
          {mixed ? t("row.numberBy", { name: one.name, way: wayOf(one.provider) }) : one.name}
        </MenuChoice>
      ))}
    </>
  );

  const labelMenu = !!labels?.length && (
    <>
      <MenuLabel>{t("filter.label")}</MenuLabel>
      <MenuChoice chosen={!filter.label} onSelect={() => change({ label: undefined })}>
        {t("filter.allLabels")}
      </MenuChoice>
      {labels.map((one) => (
        <MenuChoice
          key={one.id}
          chosen={one.id === filter.label}
          icon={<Dot colour={one.colour} className="size-2.5" />}
          onSelect={() => change({ label: one.id })}
        >
          {one.name}
        </MenuChoice>
      ))}
    </>
  );

  const list = (
    <section aria-label={t("inbox.title")} className="relative flex min-h-0 min-w-0 flex-col bg-surface">
      {onePane ? (
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
              {sortMenu}
              {numberMenu}
              {labelMenu}
              {denseMenu}
            </Menu>
          }
        >
          {searchBox}
        </PhoneHead>
      ) : (
        <div className="border-b border-border px-3 pt-3 pb-2">
          {foldedViews && <h1 className="sr-only">{t("inbox.title")}</h1>}
          <div className="flex items-center gap-1">
            {searchBox}
            {(several || foldedViews || labelMenu) && (
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
                {foldedViews && (
                  <>
                    <MenuLabel>{t("view.title")}</MenuLabel>
                    {shownViews.map((one) => (
                      <MenuChoice
                        key={one.view}
                        chosen={one.view === filter.view}
                        icon={<one.icon aria-hidden />}
                        onSelect={() => navigate(toView(one.view))}
                      >
                        {t(one.name)}
                      </MenuChoice>
                    ))}
                    {several && <MenuSeparator />}
                  </>
                )}
                {numberMenu}
                {labelMenu}
              </Menu>
            )}
            {agent && (
              <IconButton
                label={t("inbox.start")}
                icon={<Plus size={18} aria-hidden />}
                onClick={() => start(true)}
                data-testid="start"
              />
            )}
          </div>
          {!words && (
            <div className="mt-1.5 flex h-6 items-center text-12 text-muted">
              <span className="truncate tabular-nums">
                {foldedViews || filtered || !counts ? viewName(filter.view) : t("inbox.open", { n: counts.open })}
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
                {sortMenu}
                {denseMenu}
              </Menu>
            </div>
          )}
        </div>
      )}
      {onePane && !words && <ViewPills view={filter.view} counts={counts} to={toView} />}
      {words && asked ? (
        <Found words={asked} to={to} onClear={() => find("")} />
      ) : (
        <ConversationList
          filter={filter}
          openId={id}
          to={to}
          several={several}
          mixed={mixed}
          empty={empty}
          onOrder={onOrder}
        />
      )}
      {onePane && agent && (
        <button
          type="button"
          aria-label={t("inbox.start")}
          onClick={() => start(true)}
          className="absolute end-4 bottom-4 grid size-14 place-items-center rounded-[18px] bg-primary text-on-primary shadow-menu"
        >
          <Plus size={22} aria-hidden />
        </button>
      )}
    </section>
  );

  const pane = id && (
    <Talk
      key={id}
      id={id}
      back={`/chat${suffix}`}
      paneOpen={foldedContact ? overlay : contactPane}
      onPane={() => (foldedContact ? setOverlay(!overlay) : contactOpen.set(!contactPane))}
      pane={(talk) =>
        foldedContact ? (
          overlay && (
            <div className="appear absolute inset-y-0 end-0 z-20 w-full max-w-80 border-s border-border shadow-dialog max-phone:max-w-none">
              <ContactPane id={talk.contact.id} talksTo={talk.instance.name} onClose={() => setOverlay(false)}>
                <LabelSection conversation={talk} />
              </ContactPane>
            </div>
          )
        ) : contactPane ? (
          <>
            <Splitter label={t("pane.contact")} width={contactWidth} min={248} max={420} pane="end" />
            <div className="min-h-0 shrink-0 border-s border-border" style={{ width: contactSize }}>
              <ContactPane id={talk.contact.id} talksTo={talk.instance.name} onClose={() => contactOpen.set(false)}>
                <LabelSection conversation={talk} />
              </ContactPane>
            </div>
          </>
        ) : null
      }
      onResolvedNext={() => step(1)}
    />
  );

  return (
    <div className="flex h-full min-h-0 min-w-0" data-testid="inbox">
      {!foldedViews && (
        <div className="grid w-47 shrink-0">
          <ViewsPane view={filter.view} counts={counts} to={toView} />
        </div>
      )}
      {(!onePane || !id) && (
        <>
          <div
            className="grid min-h-0 shrink-0 grow-0"
            style={onePane ? { width: "100%" } : { width: twoPanes ? Math.min(width, 340) : width }}
          >
            {list}
          </div>
          {!onePane && <Splitter label={t("pane.list")} width={listWidth} min={264} max={480} pane="start" />}
        </>
      )}
      {(!onePane || id) && (
        <div className={cn("relative flex min-h-0 min-w-0 flex-1", !onePane && "border-s border-border")}>
          {pane || (
            <div className="grid flex-1 place-items-center">
              <Empty title={t("inbox.choose")} text={t("inbox.chooseText")} />
            </div>
          )}
        </div>
      )}
      {agent && starting !== undefined && (
        <StartDialog
          open={starting}
          onClose={() => start(false)}
          onBreak={() => start(undefined)}
          instances={numbers ?? []}
          country={session.tenant.country}
          onStarted={(one) => {
            start(false);
            navigate(to(one));
          }}
        />
      )}
    </div>
  );
}

/** What was found; a contact without a conversation gets one when it is chosen. */
function Found({ words, to, onClear }: { words: string; to: (id: string) => string; onClear: () => void }) {
  const open = useStart();
  const navigate = useNavigate();
  return (
    <SearchResults
      words={words.trim()}
      to={to}
      onClear={onClear}
      onContact={(contact) =>
        open.mutate(
          { contactId: contact.id },
          {
            onSuccess: (one) => navigate(to(one.id)),
            onError: (error) => toast.error(describe(error).detail),
          },
        )
      }
    />
  );
}

interface TalkProps {
  id: string;
  back: string;
  paneOpen: boolean;
  onPane: () => void;
  pane: (talk: Conversation) => React.ReactNode;
  onResolvedNext: () => void;
}

/** One conversation: its head, its thread, its composer, and the contact beside it. */
function Talk({ id, back, paneOpen, onPane, pane, onResolvedNext }: TalkProps) {
  const client = useQueryClient();
  const session = useSession();
  const query = useQuery({ ...conversationQuery(id), placeholderData: () => known(client, id) });
  const numbers = useQuery(instancesQuery).data;
  const composer = useRef<WritingHandle>(null);
  const [replyTo, setReplyTo] = useState<Message>();
  const [details, setDetails] = useState<Message>();
  const [keeping, keep] = useState<Message>();
  const [dropping, setDropping] = useState(false);
  const change = useChange();
  const { mutate: react } = useReact();
  const { mutate: settle } = useSettle();
  const { mutate: open } = useStart();
  const navigate = useNavigate();
  const agent = may(session, "agent");
  const talk = query.data;

  const seen = useCallback(() => {
    if (!agent) return;
    putConversation(client, { id, unreadCount: 0 }, session.user.id);
    if (!say({ kind: "read", conversation: id }))
      take(api.POST("/api/conversations/{id}/read", { params: { path: { id } } })).catch(() => undefined);
    void client.invalidateQueries({ queryKey: countsQuery.queryKey });
  }, [agent, client, id, session.user.id]);

  const actions = useMemo<Omit<BubbleActions, "onJump">>(
    () => ({
      onDetails: setDetails,
      ...(agent && {
        onReply: (message: Message) => {
          setReplyTo(message);
          composer.current?.focus();
        },
        onReact: (message: Message, emoji: string) => react({ message, emoji }),
        onKeep: keep,
        onAct: (act: "check" | "mark-sent" | "resend" | "cancel", { message, outgoing }: Entry) => {
          if (outgoing) outbox.again(outgoing.key);
          else settle({ message, act });
        },
        onEdit: ({ message, outgoing }: Entry) => {
          composer.current?.put(message.body ?? "");
          if (outgoing) outbox.drop(outgoing.key);
        },
        onDrop: ({ outgoing }: Entry) => outgoing && outbox.drop(outgoing.key),
        onSaveContact: ({ phone }: { phone: string }) =>
          open(
            { phone },
            {
              onSuccess: (one) => navigate(`/chat/${one.id}`),
              onError: (error) => toast.error(describe(error).detail),
            },
          ),
      }),
    }),
    [agent, react, settle, open, navigate],
  );

  useKeys(
    agent && talk
      ? {
          r: () => composer.current?.focus(),
          n: () => composer.current?.note(),
          e: () => change.mutate({ id, change: { state: talk.state === "closed" ? "open" : "closed" } }),
          "Shift+E": () => {
            onResolvedNext();
            change.mutate({ id, change: { state: "closed" } });
          },
          i: () => change.mutate({ id, change: { assignee: { id: session.user.id, name: session.user.name } } }),
          a: () => document.querySelector<HTMLElement>('[data-testid="assign"]')?.click(),
          l: () => document.querySelector<HTMLElement>('[data-testid="label"]')?.click(),
        }
      : {},
  );

  if (query.isError && !talk) {
    const gone = query.error instanceof Problem && query.error.status === 404;
    return gone ? (
      <div className="flex-1 pt-16">
        <Empty title={t("thread.missing")} text={t("thread.missingText")} />
      </div>
    ) : (
      <div className="flex-1 pt-16">
        <Failed error={query.error} what={t("thread.failed")} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  if (!talk) return <div className="flex-1" />;

  const number = numbers?.find((one) => one.id === talk.instanceId);
  const windowOver =
    talk.instance.provider === "cloud" && (!talk.windowEndsAt || Date.parse(talk.windowEndsAt) < Date.now());
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a place to drop files on; the button does the same */}
      <div
        className="relative flex min-h-0 min-w-0 flex-1 flex-col bg-background"
        onDragOver={(event) => {
          if (!agent || !event.dataTransfer.types.includes("Files")) return;
          event.preventDefault();
          setDropping(true);
        }}
        onDragLeave={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget as Node)) setDropping(false);
        }}
        onDrop={(event) => {
          if (!agent || event.dataTransfer.files.length === 0) return;
          event.preventDefault();
          setDropping(false);
          composer.current?.attach([...event.dataTransfer.files]);
        }}
      >
        <ThreadHeader
          conversation={talk}
          back={back}
          paneOpen={paneOpen}
          onPane={onPane}
          number={
            new Set(numbers?.map((one) => one.provider)).size > 1
              ? t("row.numberBy", { name: talk.instance.name, way: wayOf(talk.instance.provider) })
              : undefined
          }
        />
        {number && number.state !== "connected" && number.state !== "new" && (
          <p
            data-testid="number-banner"
            className="flex shrink-0 items-center gap-2 bg-warning-tint px-4 py-2 text-13 text-warning-text"
          >
            {t("thread.numberDown", { name: number.name })}
          </p>
        )}
        <MessageList conversation={talk} actions={actions} onSeen={seen} />
        <Writing
          ref={composer}
          notes={agent}
          conversation={talk}
          replyTo={replyTo}
          onReplyTo={setReplyTo}
          onTyping={(on) => void say({ kind: "typing", conversation: id, on })}
          can={number?.capabilities}
          Cards={CardDialog}
          onFocus={() => void quickPicker().catch(() => undefined)}
          quick={(props) => (
            <QuickPicker
              {...props}
              known={knownOf(
                talk.contact,
                session.user,
                { name: talk.instance.name, phone: number?.phone },
                session.tenant,
              )}
            />
          )}
          closed={
            !agent
              ? t("composer.viewer")
              : windowOver
                ? t(talk.windowEndsAt ? "composer.windowClosed" : "composer.windowNever")
                : undefined
          }
        />
        {dropping && (
          <div className="appear pointer-events-none absolute inset-2 z-30 grid place-items-center rounded-card border-2 border-dashed border-primary bg-surface/90 text-16 font-strong text-link">
            {t("composer.drop", { who: nameOf(talk.contact) })}
          </div>
        )}
      </div>
      {pane(talk)}
      {keeping && <ReplyDialog body={keeping.body ?? ""} onClose={() => keep(undefined)} />}
      {details && <Details message={details} provider={talk.instance.provider} onClose={() => setDetails(undefined)} />}
    </>
  );
}
