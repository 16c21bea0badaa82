import type { Message, Note } from "~/api/types";
import { kindOf } from "~/api/upload";
import { daysApart } from "~/i18n/format";
import { place } from "./cache";
import { forwarded } from "./content";
import type { Outgoing } from "./outbox";

const GROUP_MS = 3 * 60_000;

/** A message, or what is on its way to become one. */
export interface Said {
  /** Stays the same when it has become one. */
  key: string;
  message: Message;
  outgoing?: Outgoing;
}

/** One bubble. */
export interface Entry extends Said {
  /** First and last of a run by the same author within three minutes. */
  first: boolean;
  last: boolean;
  /** The first message that was unread when the conversation was opened. */
  unread: boolean;
  /** This one and those that were sent right after it, where all are pictures or films without words: one grid. */
  album?: Entry[];
}

/** A note, at its place between the bubbles. */
export interface NoteEntry {
  key: string;
  note: Note;
}

export interface Day {
  /** The same for each moment of a day, so that its section stays when its first message is replaced. */
  key: string;
  /** Any moment of the day; its name is made when it is shown. */
  at: number;
  entries: (Entry | NoteEntry)[];
}

/** What is on its way, in the shape of the message that it will be. */
export function asMessage(one: Outgoing, quoted: Message | undefined, user: { id: string; name: string }): Message {
  return {
    id: `tmp_${one.key}`,
    conversationId: one.conversationId,
    direction: "outbound",
    author: { kind: "user", id: user.id, name: user.name },
    kind: one.kind,
    body: one.body || null,
    content: one.part?.content ?? {},
    state: one.is === "refused" ? "failed" : "queued",
    error: one.is === "refused" ? { code: "refused", detail: one.reason ?? "" } : null,
    replyTo: one.replyTo ?? null,
    quoted: quoted
      ? {
          id: quoted.id,
          kind: quoted.kind,
          preview: quoted.body ?? "",
          direction: quoted.direction,
          author: quoted.author,
        }
      : null,
    reactions: [],
    media: one.file
      ? {
          id: "",
          kind: kindOf(one.file),
          error: null,
          mime: one.file.type,
          // the file of a quick reply is at the server, and empty here
          sizeBytes: one.file.size || null,
          width: null,
          height: null,
          durationMs: one.durationMs ?? null,
          name: one.file.name,
          state: "ready",
          url: one.preview ?? "",
        }
      : null,
    createdAt: one.createdAt,
    editedAt: null,
    deletedAt: null,
    sentAt: null,
    deliveredAt: null,
    readAt: null,
  };
}

/** Which message the line "unread" stands above: the n-th inbound one from the end. */
export function firstUnread(newestFirst: Message[], unread: number): string | undefined {
  let left = unread;
  for (const message of newestFirst) {
    if (message.direction !== "inbound") continue;
    left -= 1;
    if (left <= 0) return unread > 0 ? message.id : undefined;
  }
  // More unread than are loaded: the oldest of them.
  return unread > 0 ? newestFirst.findLast((one) => one.direction === "inbound")?.id : undefined;
}

const author = (one: Message): string => `${one.direction} ${one.author.kind} ${one.author.id ?? ""}`;

/** Notes among the messages, by the time of both; what is on its way stays last. */
export function among(messages: Said[], notes: Note[]): (Said | NoteEntry)[] {
  const left = [...notes].sort((a, b) => (place(a) < place(b) ? -1 : 1));
  const all: (Said | NoteEntry)[] = [];
  const put = (note: Note) => all.push({ key: note.id, note });
  for (const one of messages) {
    while (left[0] && (one.outgoing || place(left[0]) < place(one.message))) put(left.shift() as Note);
    all.push(one);
  }
  left.forEach(put);
  return all;
}

/** Pictures that follow each other this closely were chosen together. */
const ALBUM_MS = 60_000;

const bare = ({ kind, body, replyTo, quoted, reactions, deletedAt, content }: Message): boolean =>
  (kind === "image" || kind === "video") &&
  !body &&
  !replyTo &&
  !quoted &&
  !deletedAt &&
  reactions.length === 0 &&
  !forwarded(content);

/** Puts pictures that were sent one after the other into one entry. */
function folded(entries: Day["entries"]): Day["entries"] {
  const out: Day["entries"] = [];
  for (const one of entries) {
    const head = out.at(-1);
    if (!head || "note" in one || "note" in head) {
      out.push(one);
      continue;
    }
    const before = head.album?.at(-1) ?? head;
    const near = Date.parse(one.message.createdAt) - Date.parse(before.message.createdAt) < ALBUM_MS;
    if (one.first || one.unread || !near || !bare(before.message) || !bare(one.message)) out.push(one);
    else out[out.length - 1] = { ...head, last: one.last, album: [...(head.album ?? [head]), one] };
  }
  return out;
}

/** The thread in days and runs, oldest first. */
export function arrange(entries: (Said | NoteEntry)[], unreadId: string | undefined): Day[] {
  const days: Day[] = [];
  let before: Entry | undefined;
  for (const one of entries) {
    const at = Date.parse("note" in one ? one.note.createdAt : one.message.createdAt);
    let day = days.at(-1);
    if (!day || daysApart(day.at, at) !== 0) {
      day = { key: new Date(at).toDateString(), at, entries: [] };
      days.push(day);
      before = undefined;
    }
    if ("note" in one) {
      day.entries.push(one);
      before = undefined;
      continue;
    }
    const unread = one.message.id === unreadId;
    const joins =
      !!before &&
      !unread &&
      author(before.message) === author(one.message) &&
      at - Date.parse(before.message.createdAt) < GROUP_MS;
    const entry: Entry = { ...one, first: !joins, last: true, unread };
    if (joins && before) before.last = false;
    day.entries.push(entry);
    before = entry;
  }
  for (const day of days) day.entries = folded(day.entries);
  return days;
}

/** The pictures and films of a thread that can be looked at, oldest first. */
export const pictures = (days: readonly Day[]): Said[] =>
  days
    .flatMap((day) => day.entries)
    .flatMap((one) => ("note" in one ? [] : (one.album ?? [one])))
    .filter(
      ({ message: { kind, media, deletedAt } }) =>
        (kind === "image" || kind === "video") && media?.state === "ready" && !deletedAt,
    );
