import { type RefObject, useMemo } from "react";
import { useSession } from "~/api/session";
import { type Message, may } from "~/api/types";
import { useReact, useSettle } from "~/features/conversations/acts";
import type { BubbleActions } from "~/features/conversations/MessageMenu";
import { outbox } from "~/features/conversations/outbox";
import type { WritingHandle } from "~/features/conversations/Writing";
import { useOpenTalk } from "../useOpenTalk";

interface Opens {
  composer: RefObject<WritingHandle | null>;
  onReply: (message: Message) => void;
  onDetails: (message: Message) => void;
  onKeep: (message: Message) => void;
}

/** What can be done with the messages of a thread; who only reads can look at their details. */
export function useMessageActions({
  composer,
  onReply,
  onDetails,
  onKeep,
}: Opens): Omit<BubbleActions, "onJump" | "onOpen"> {
  const agent = may(useSession(), "agent");
  const { mutate: react } = useReact();
  const { mutate: settle } = useSettle();
  const { open } = useOpenTalk();
  return useMemo(() => {
    if (!agent) return { onDetails };
    return {
      onDetails,
      onKeep,
      onReply: (message) => {
        onReply(message);
        composer.current?.focus();
      },
      onReact: (message, emoji) => react({ message, emoji }),
      onAct: (act, { message, outgoing }) => {
        if (outgoing) outbox.again(outgoing.key);
        else settle({ message, act });
      },
      onEdit: ({ message, outgoing }) => {
        composer.current?.put(message.body ?? "");
        if (outgoing) outbox.drop(outgoing.key);
      },
      onDrop: ({ outgoing }) => outgoing && outbox.drop(outgoing.key),
      onSaveContact: ({ phone }) => open({ phone }),
    };
  }, [agent, composer, onReply, onDetails, onKeep, react, settle, open]);
}
