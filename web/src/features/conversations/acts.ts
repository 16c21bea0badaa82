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

/** The changes of one conversation that are under way. Each sends the whole list of labels: they go one after the other. */
interface Line {
  last: Promise<unknown>;
  changes: number;
  lists: number;
  /** The list of the last of them, and the one that the server is known to have. */
  wished: string[] | undefined;
  stored: string[] | undefined;
}
const lines = new Map<string, Line>();

/** The labels that a conversation will carry when all that is under way is done. */
export const wishedLabels = (id: string): string[] | undefined => lines.get(id)?.wished;

const lineOf = (id: string): Line => {
  const line = lines.get(id) ?? { last: Promise.resolve(), changes: 0, lists: 0, wished: undefined, stored: undefined };
  lines.set(id, line);
  return line;
};

/** Assigns, labels, resolves or reopens: shown at once, taken back with a word if the server refuses. */
export function useChange() {
  const client = useQueryClient();
  const { user } = useSession();
  const mutation = useMutation({
    mutationFn: ({ id, change }: { id: string; change: Change; undo?: boolean }): Promise<Conversation> => {
      const line = lineOf(id);
      const send = () =>
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
        );
      const turn = line.last.then(send, send);
      line.last = turn;
      return turn;
    },
    onMutate: ({ id, change }) => {
      const before = known(client, id);
      const line = lineOf(id);
      line.changes += 1;
      if (change.labels) {
        line.stored ??= before?.labels;
        line.wished = change.labels;
        line.lists += 1;
      }
      putConversation(client, { id, ...change }, user.id);
      return { before, line };
    },
    onSuccess: (after, { id, change, undo }, context) => {
      const { before, line } = context;
      if (change.labels) line.stored = after.labels;
      // An answer knows nothing of the lists that come after it.
      const later = line.lists - (change.labels ? 1 : 0) > 0;
      putConversation(client, later && line.wished ? { ...after, labels: line.wished } : after, user.id);
      void client.invalidateQueries({ queryKey: keys.counts });
      if (undo || !before) return;
      const name = nameOf(after.contact);
      const mine = change.assignee?.id === user.id;
      // What stands in the head of the conversation, and is taken back there, needs no word.
      if (mine || change.state === "open") return;
      const said = change.labels
        ? t("toast.labelled", { name })
        : change.state === "closed"
          ? t("toast.resolved", { name })
          : change.assignee
            ? t("toast.assigned", { name, to: change.assignee.name })
            : t("toast.unassigned", { name });
      const back: Change = change.labels
        ? { labels: before.labels }
        : "assignee" in change
          ? { assignee: before.assignee ?? null }
          : { state: before.state === "closed" ? "closed" : "open" };
      toast.success(said, {
        // The next one about this conversation takes its place.
        id,
        action: { label: t("toast.undo"), onClick: () => mutation.mutate({ id, change: back, undo: true }) },
      });
    },
    onError: (error, { id, change }, context) => {
      if (context?.before) {
        const { before, line } = context;
        // Only what this changed; a list that is still under way stands.
        const labels = line.lists > 1 ? line.wished : line.stored;
        const back = {
          ...("assignee" in change && { assignee: before.assignee }),
          ...(change.state && { state: before.state }),
          ...(change.labels && labels && { labels }),
        };
        putConversation(client, { id, ...back }, user.id);
      }
      toast.error(t("toast.notChanged", { why: describe(error).detail }));
    },
    onSettled: (_after, _error, { id, change }, context) => {
      if (!context) return;
      const { line } = context;
      line.changes -= 1;
      if (change.labels) line.lists -= 1;
      if (line.lists === 0) line.wished = line.stored = undefined;
      if (line.changes === 0) lines.delete(id);
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
