import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { describe } from "~/api/problem";
import { useSession } from "~/api/session";
import type { Conversation, Message } from "~/api/types";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { toast } from "~/ui/toast";
import { changeMessage, known, putConversation, putMessage } from "./cache";

type Change = { assignee?: { id: string; name: string } | null; state?: "open" | "closed"; labels?: string[] };

/** Assigns, labels, resolves or reopens: shown at once, taken back with a word if the server refuses. */
export function useChange() {
  const client = useQueryClient();
  const { user } = useSession();
  const mutation = useMutation({
    mutationFn: ({ id, change }: { id: string; change: Change; undo?: boolean }): Promise<Conversation> =>
      take(
        api.PATCH("/api/conversations/{id}", {
          params: { path: { id } },
          headers: once(),
          body: {
            ...("assignee" in change && { assigneeId: change.assignee?.id ?? null }),
            ...(change.state && { state: change.state }),
            ...(change.labels && { labels: change.labels }),
          },
        }),
      ),
    onMutate: ({ id, change }) => {
      const before = known(client, id);
      putConversation(client, { id, ...change }, user.id);
      return { before };
    },
    onSuccess: (after, { id, change, undo }, context) => {
      putConversation(client, after, user.id);
      void client.invalidateQueries({ queryKey: keys.counts });
      const { before } = context;
      if (undo || !before) return;
      const name = nameOf(after.contact);
      const said = change.labels
        ? t("toast.labelled", { name })
        : change.state === "closed"
          ? t("toast.resolved", { name })
          : change.state === "open"
            ? t("toast.reopened", { name })
            : change.assignee
              ? t("toast.assigned", {
                  name,
                  to: change.assignee.id === user.id ? t("author.you") : change.assignee.name,
                })
              : t("toast.unassigned", { name });
      const back: Change = change.labels
        ? { labels: before.labels }
        : "assignee" in change
          ? { assignee: before.assignee ?? null }
          : { state: before.state === "closed" ? "closed" : "open" };
      toast.success(said, {
        // One after the other takes the place of the last.
        ...(change.labels && { id: `labels ${id}` }),
        action: { label: t("toast.undo"), onClick: () => mutation.mutate({ id, change: back, undo: true }) },
      });
    },
    onError: (error, { id }, context) => {
      if (context?.before) putConversation(client, { ...context.before, id }, user.id);
      toast.error(t("toast.notChanged", { why: describe(error).detail }));
    },
  });
  return mutation;
}

/** Reacts to a message, or takes the reaction back (an empty emoji). */
export function useReact() {
  const client = useQueryClient();
  const { user } = useSession();
  return useMutation({
    mutationFn: ({ message, emoji }: { message: Message; emoji: string }) =>
      take(
        api.POST("/api/messages/{id}/reactions", {
          params: { path: { id: message.id } },
          headers: once(),
          body: { emoji },
        }),
      ),
    onMutate: ({ message, emoji }) => {
      const others = message.reactions.filter((one) => one.by.id !== user.id);
      const reactions = emoji
        ? [...others, { emoji, by: { kind: "user", id: user.id, name: user.name }, at: new Date().toISOString() }]
        : others;
      changeMessage(
        client,
        { id: message.id, reactions: reactions as Message["reactions"] },
        message.conversationId,
        user.id,
      );
    },
    onSuccess: (after) => putMessage(client, after, { answer: true }),
    onError: (error, { message }) => {
      changeMessage(client, { id: message.id, reactions: message.reactions }, message.conversationId, user.id);
      toast.error(t("toast.notReacted", { why: describe(error).detail }));
    },
  });
}

/** What a person does about a message that failed, or of which nobody knows. */
export function useSettle() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ message, act }: { message: Message; act: "check" | "mark-sent" | "resend" | "cancel" }) =>
      take(api.POST(`/api/messages/{id}/${act}`, { params: { path: { id: message.id } }, headers: once() })),
    onSuccess: (after, { act }) => {
      putMessage(client, after, { answer: true });
      if (act === "check" && after.state === "unknown") toast(t("toast.stillUnknown"));
    },
    onError: (error) => toast.error(t("toast.notDone", { why: describe(error).detail })),
  });
}
