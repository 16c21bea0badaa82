import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { type Apply, Replay } from "~/api/cache";
import { keys } from "~/api/keys";
import { type Frame, Live, type Status } from "~/api/live";
import { applyAvailability } from "~/api/preferences";
import { me } from "~/api/session";
import type { Session } from "~/api/types";
import { applyContactFrame } from "~/features/contacts/live";
import { applyLabelFrame } from "~/features/conversations/labels";
import { applyConversationFrame } from "~/features/conversations/live";
import { outbox } from "~/features/conversations/outbox";
import { applyTyping } from "~/features/conversations/typing";
import { applyInstanceFrame } from "~/features/instances/live";
import { applyQuickReplyFrame } from "~/features/quick_replies/live";

let current: Live | undefined;
type Listener = (frame: Frame, age: number) => void;
const listeners = new Set<Listener>();

/** Hears every event as it comes, with how old it is at most, until the function that comes back is called. */
export function onFrame(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

const readers = new Set<() => void>();
const tell = () => {
  for (const reader of readers) reader();
};

/** Everything the stream can change, room by room. */
export const applyTo =
  (client: QueryClient, session: Session): Apply =>
  (frame, only) => {
    if (frame.kind === "contact.typing") return applyTyping(frame);
    if (frame.kind === "user.availability") return applyAvailability(client, frame, session.user.id);
    applyConversationFrame(client, frame, session.user.id, only);
    applyLabelFrame(client, frame, only);
    applyContactFrame(client, frame, only);
    applyInstanceFrame(client, frame, only);
    applyQuickReplyFrame(client, frame, only);
    if (frame.kind === "job.dead" && !only) void client.invalidateQueries({ queryKey: keys.jobs });
  };

/** Connects this page to the stream for as long as somebody is signed in. */
export function goLive(client: QueryClient, session: Session): () => void {
  const replay = new Replay();
  const detach = replay.attach(client, applyTo(client, session));
  // Server data only: who is signed in does not come from the stream.
  const stale = () => client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== me.queryKey[0] });
  const live = new Live({
    onFrame: (frame, age) => {
      replay.hear(frame);
      for (const listener of listeners) listener(frame, age);
    },
    onReset: () => void stale(),
    onStart: () => void stale(),
    check: () => client.fetchQuery({ ...me, staleTime: 0 }),
  });
  current = live;
  const unwatch = live.watch(() => {
    tell();
    if (live.status.is !== "open") return;
    outbox.retry();
    // Who came and went meanwhile is not told again.
    void client.invalidateQueries({ queryKey: keys.users });
  });
  outbox.open(client, session);
  live.start();
  return () => {
    unwatch();
    detach();
    live.stop();
    current = undefined;
  };
}

const connecting: Status = { is: "connecting" };
const subscribe = (reader: () => void) => {
  readers.add(reader);
  return () => void readers.delete(reader);
};

export const useLiveStatus = (): Status => useSyncExternalStore(subscribe, () => current?.status ?? connecting);

export const reconnectNow = (): void => current?.now();

/** Says something small over the socket; false when nobody hears. */
export const say = (frame: Record<string, unknown>): boolean => current?.say(frame) ?? false;
