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

/** One thing about a conversation. Labels go on and off one by one: others may do the same at this moment. */
type Change = {
  assignee?: { id: string; name: string } | null;
  state?: "open" | "closed";
  label?: { id: string; on: boolean };
};

/** A label that goes on or off, and where it stands among the others when it is on. */
interface Move {
  label: string;
  on: boolean;
  at: number;
}

const moved = (labels: string[], { label, on, at }: Move): string[] => {
  if (!on) return labels.filter((other) => other !== label);
  return labels.includes(label) ? labels : [...labels.slice(0, at), label, ...labels.slice(at)];
};

/** The changes of one conversation that are under way. They go one after the other: the last word on a label is the last one said. */
interface Line {
  last: Promise<unknown>;
  changes: number;
  moves: Move[];
}
const lines = new Map<string, Line>();

/** The labels that a conversation will carry when all that is under way is done; `labels`: those that are known of. */
export const wishedLabels = (id: string, labels: string[]): string[] =>
  lines.get(id)?.moves.reduce(moved, labels) ?? labels;

const lineOf = (id: string): Line => {
  const line = lines.get(id) ?? { last: Promise.resolve(), changes: 0, moves: [] };
  lines.set(id, line);
  return line;
};

const ask = (id: string, { label, state, ...change }: Change): Promise<Conversation> => {
  const headers = once();
  if (label) {
    const of = { params: { path: { id, labelId: label.id } }, headers };
    const path = "/api/conversations/{id}/labels/{labelId}";
    return take(label.on ? api.PUT(path, of) : api.DELETE(path, of));
  }
  const body = {
    ...("assignee" in change && { assigneeId: change.assignee?.id ?? null }),
    ...(state && { state }),
  };
  return take(api.PATCH("/api/conversations/{id}", { params: { path: { id } }, headers, body }));
};

/** Assigns, labels, resolves or reopens: shown at once, taken back with a word if the server refuses. */
export function useChange() {
  const client = useQueryClient();
  const { user } = useSession();
  const mutation = useMutation({
    mutationFn: ({ id, change }: { id: string; change: Change; undo?: boolean }): Promise<Conversation> => {
      const line = lineOf(id);
      const send = () => ask(id, change);
      const turn = line.last.then(send, send);
      line.last = turn;
      return turn;
    },
    onMutate: ({ id, change }) => {
      const before = known(client, id);
      const line = lineOf(id);
      line.changes += 1;
      const { label, ...rest } = change;
      const labels = before?.labels ?? [];
      let move: Move | undefined;
      if (label) {
        const at = labels.indexOf(label.id);
        move = { label: label.id, on: label.on, at: at < 0 ? labels.length : at };
        line.moves.push(move);
      }
      putConversation(client, { id, ...rest, ...(move && { labels: moved(labels, move) }) }, user.id);
      return { before, line, move };
    },
    onSuccess: (after, { id, change, undo }, { before, line, move }) => {
      line.moves = line.moves.filter((other) => other !== move);
      // An answer knows nothing of the moves that come after it.
      putConversation(client, { ...after, labels: wishedLabels(id, after.labels) }, user.id);
      void client.invalidateQueries({ queryKey: keys.counts });
      if (undo || !before) return;
      const name = nameOf(after.contact);
      const mine = change.assignee?.id === user.id;
      // What stands in the head of the conversation, and is taken back there, needs no word.
      if (change.state === "open" || (mine && !before.assignee)) return;
      const said = change.label
        ? t("toast.labelled", { name })
        : change.state === "closed"
          ? t("toast.resolved", { name })
          : change.assignee
            ? t("toast.assigned", { name, to: change.assignee.name })
            : t("toast.unassigned", { name });
      const back: Change = change.label
        ? { label: { id: change.label.id, on: !change.label.on } }
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
        const { before, line, move } = context;
        line.moves = line.moves.filter((other) => other !== move);
        // Only what this changed: what was said meanwhile, here or elsewhere, stands.
        const shown = known(client, id)?.labels ?? before.labels;
        const back = {
          ...("assignee" in change && { assignee: before.assignee }),
          ...(change.state && { state: before.state }),
          ...(move && { labels: wishedLabels(id, moved(shown, { ...move, on: !move.on })) }),
        };
        putConversation(client, { id, ...back }, user.id);
      }
      toast.error(t("toast.notChanged", { why: describe(error).detail }));
    },
    onSettled: (_after, _error, { id }, context) => {
      if (!context) return;
      context.line.changes -= 1;
      if (context.line.changes === 0) lines.delete(id);
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
