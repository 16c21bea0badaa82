import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { api, take } from "~/api/client";
import { Problem } from "~/api/problem";
import { useSession } from "~/api/session";
import { type Conversation, type Message, may } from "~/api/types";
import { useChange } from "~/features/conversations/acts";
import { known, putConversation } from "~/features/conversations/cache";
import { MessageList } from "~/features/conversations/MessageList";
import { conversation as conversationQuery, counts as countsQuery } from "~/features/conversations/queries";
import { ThreadHeader } from "~/features/conversations/ThreadHeader";
import { Writing, type WritingHandle } from "~/features/conversations/Writing";
import { instances as instancesQuery } from "~/features/instances/queries";
import { knownOf } from "~/features/quick_replies/variables";
import { mixed, nameOf, numberBy } from "~/i18n/name";
import { t } from "~/i18n/t";
import { part } from "~/ui/part";
import { Empty, Failed } from "~/ui/states";
import { useKeys } from "../keyboard";
import { say } from "../live";
import { ContactSide, type Side } from "./ContactSide";
import { DropFiles } from "./DropFiles";
import { isDown, NumberDown } from "./NumbersDown";
import { useMessageActions } from "./useMessageActions";

const Details = part(() => import("~/features/conversations/Details"));
const CardDialog = part(() => import("./CardDialog"));
const quickPicker = () => import("~/features/quick_replies/Picker");
const QuickPicker = part(quickPicker);
const ReplyDialog = part(() => import("~/features/quick_replies/ReplyDialog"));

interface Props {
  id: string;
  /** The list, on a phone. */
  back: string;
  side: Side;
  /** Opens the conversation after this one. */
  onNext: () => void;
}

/** One conversation: its head, its thread, its composer, and the contact beside it. */
export function Talk({ id, ...rest }: Props) {
  const client = useQueryClient();
  const query = useQuery({ ...conversationQuery(id), placeholderData: () => known(client, id) });
  if (query.data) return <Known talk={query.data} {...rest} />;
  if (!query.isError) return <div className="flex-1" />;
  const gone = query.error instanceof Problem && query.error.status === 404;
  return (
    <div className="flex-1 pt-16">
      {gone ? (
        <Empty title={t("thread.missing")} text={t("thread.missingText")} />
      ) : (
        <Failed error={query.error} what={t("thread.failed")} onRetry={() => void query.refetch()} />
      )}
    </div>
  );
}

function Known({ talk, back, side, onNext }: Omit<Props, "id"> & { talk: Conversation }) {
  const { id, contact, instance } = talk;
  const session = useSession();
  const numbers = useQuery(instancesQuery).data;
  const number = numbers?.find((one) => one.id === talk.instanceId);
  const composer = useRef<WritingHandle>(null);
  const [replyTo, setReplyTo] = useState<Message>();
  const [details, setDetails] = useState<Message>();
  const [keeping, keep] = useState<Message>();
  const agent = may(session, "agent");
  const seen = useSeen(id);
  const actions = useMessageActions({ composer, onReply: setReplyTo, onDetails: setDetails, onKeep: keep });
  useTalkKeys(talk, composer, onNext);

  const window24h = number?.capabilities.window24h ?? instance.provider === "cloud";
  const windowOver = window24h && (!talk.windowEndsAt || Date.parse(talk.windowEndsAt) < Date.now());
  const closed = !agent
    ? t("composer.viewer")
    : windowOver
      ? t(talk.windowEndsAt ? "composer.windowClosed" : "composer.windowNever")
      : undefined;
  return (
    <>
      <DropFiles
        label={t("composer.drop", { who: nameOf(contact) })}
        onFiles={agent ? (files) => composer.current?.attach(files) : undefined}
        className="relative flex min-h-0 min-w-0 flex-1 flex-col bg-background"
      >
        <ThreadHeader
          conversation={talk}
          back={back}
          paneOpen={side.open}
          onPane={() => side.put(!side.open)}
          number={mixed(numbers) ? numberBy(instance) : numbers && numbers.length > 1 ? instance.name : undefined}
          window24h={window24h}
        />
        {number && isDown(number) && !may(session, "admin") && <NumberDown name={number.name} />}
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
              known={knownOf(contact, session.user, { name: instance.name, phone: number?.phone }, session.tenant)}
            />
          )}
          closed={closed}
        />
      </DropFiles>
      <ContactSide conversation={talk} side={side} />
      {keeping && <ReplyDialog body={keeping.body ?? ""} onClose={() => keep(undefined)} />}
      {details && <Details message={details} provider={instance.provider} onClose={() => setDetails(undefined)} />}
    </>
  );
}

/** Says that the newest messages were seen: here at once, to the server, and to the others of the team. */
function useSeen(id: string): () => void {
  const client = useQueryClient();
  const session = useSession();
  const agent = may(session, "agent");
  return useCallback(() => {
    // Who only reads answers nobody: to the team it stays unread.
    if (!agent) return;
    putConversation(client, { id, unreadCount: 0 }, session.user.id);
    if (!say({ kind: "read", conversation: id }))
      take(api.POST("/api/conversations/{id}/read", { params: { path: { id } } })).catch(() => undefined);
    void client.invalidateQueries({ queryKey: countsQuery.queryKey });
  }, [agent, client, id, session.user.id]);
}

/** The keys of the conversation that is open, for those who may answer it. */
function useTalkKeys(
  { id, state }: Conversation,
  composer: React.RefObject<WritingHandle | null>,
  onNext: () => void,
): void {
  const session = useSession();
  const { mutate: change } = useChange();
  const press = (testId: string) => document.querySelector<HTMLElement>(`[data-testid="${testId}"]`)?.click();
  useKeys(
    may(session, "agent")
      ? {
          r: () => composer.current?.focus(),
          n: () => composer.current?.note(),
          e: () => change({ id, change: { state: state === "closed" ? "open" : "closed" } }),
          "Shift+E": () => {
            onNext();
            change({ id, change: { state: "closed" } });
          },
          i: () => change({ id, change: { assignee: { id: session.user.id, name: session.user.name } } }),
          a: () => press("assign"),
          l: () => press("label"),
        }
      : {},
  );
}
