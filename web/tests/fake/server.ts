import type {
  Contact,
  Conversation,
  Gateway,
  Instance,
  Label,
  Media,
  Message,
  Note,
  Preferences,
  QuickReply,
  Session,
  User,
} from "~/api/types";
import { type Answer, type Asked, fits, problem } from "./answer.ts";
import { contacts } from "./contacts.ts";
import { conversations } from "./conversations.ts";
import * as data from "./data.ts";
import { labels } from "./labels.ts";
import { machinery } from "./machinery.ts";
import { messages } from "./messages.ts";
import { numbers } from "./numbers.ts";
import { quickReplies } from "./quickReplies.ts";
import { door, users } from "./users.ts";

const rooms = {
  ...users,
  ...machinery,
  ...numbers,
  ...contacts,
  ...labels,
  ...conversations,
  ...quickReplies,
  ...messages,
};

type Rule = (asked: Asked) => Answer | undefined | Promise<Answer | undefined>;

interface Frame {
  seq: number;
  kind: string;
  at: string;
  ids: Record<string, string>;
  patch: Record<string, unknown>;
}

/**
 * The server of the contract, in memory: enough of it to tell the stories of the tests and to look at the screens.
 * Never shipped: nothing under src/ may import it.
 */
export class FakeServer {
  session: Session | undefined = structuredClone(data.session);
  instances: Instance[] = [];
  gateways: Gateway[] = [];
  contacts: Contact[] = [];
  conversations: Conversation[] = [];
  messages: Message[] = [];
  labels: Label[] = [];
  notes: Note[] = [];
  media = new Map<string, Media>();
  quickReplies: QuickReply[] = [];
  users: User[] = [
    {
      ...data.me,
      email: "naledi@quivertree.example",
      role: "admin",
      createdAt: data.ago(9e4),
      availability: "available",
      activeUntil: null,
    },
    {
      ...data.pieter,
      email: "pieter@quivertree.example",
      role: "agent",
      createdAt: data.ago(8e4),
      availability: "away",
      activeUntil: null,
    },
  ];
  preferences: Preferences = {
    availability: "available",
    activeUntil: null,
    away: false,
    idleMinutes: 15,
    alerts: "team",
    quiet: false,
    quietFrom: "22:00",
    quietUntil: "07:00",
  };
  asked: Asked[] = [];
  /** Rules of a test, asked before the usual ones. */
  rules: Rule[] = [];
  events: Frame[] = [];
  seq = 100;
  readonly listeners = new Set<(frame: object) => void>();
  readonly keys = new Map<string, Answer>();

  on(method: string, path: string | RegExp, answer: Answer | ((asked: Asked) => Answer | undefined)): void {
    this.rules.unshift((asked) => {
      const fits = typeof path === "string" ? asked.path === path : path.test(asked.path);
      if (asked.method !== method || !fits) return undefined;
      return typeof answer === "function" ? answer(asked) : answer;
    });
  }

  /** Appends an event and tells everyone who listens. */
  emit(kind: string, ids: Record<string, string>, patch: Record<string, unknown>): Frame {
    const frame = { seq: ++this.seq, kind, at: new Date().toISOString(), ids, patch: structuredClone(patch) };
    this.events.push(frame);
    for (const listener of this.listeners) listener(frame);
    return frame;
  }

  conversation(id: string): Conversation | undefined {
    return this.conversations.find((one) => one.id === id);
  }

  /** The messages of a conversation, newest first. */
  thread(conversation: string): Message[] {
    return this.messages.filter((one) => one.conversationId === conversation).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** A message of a customer, or our own: stored, counted, told. */
  say(of: Conversation, part: Partial<Message>): Message {
    const made = data.message(of, { createdAt: new Date().toISOString(), ...part });
    this.messages.push(made);
    of.lastMessage = data.lastOf(made);
    if (made.direction === "inbound") of.unreadCount += 1;
    this.emit(
      made.direction === "inbound" ? "message.received" : "message.queued",
      { message: made.id, conversation: of.id },
      { message: made, conversation: of },
    );
    return made;
  }

  /** A note of somebody: stored and told. */
  note(of: Conversation, part: Partial<Note> = {}): Note {
    const made = data.note(of, { createdAt: new Date().toISOString(), ...part });
    this.notes.push(made);
    this.emit("conversation.noted", { conversation: of.id, note: made.id }, { note: made });
    return made;
  }

  /** Moves a message's state on. */
  move(id: string, state: Message["state"], part: Partial<Message> = {}): void {
    const one = this.messages.find((other) => other.id === id);
    if (!one) return;
    Object.assign(one, { state, ...part });
    const of = this.conversation(one.conversationId);
    if (of?.lastMessage?.id === id) of.lastMessage = { ...of.lastMessage, state };
    this.emit(
      `message.${state}`,
      { message: id, conversation: one.conversationId },
      { message: { id, state, ...part } },
    );
  }

  /** Starts a listener, with what it missed. */
  listen(after: number | undefined, tell: (frame: object) => void): () => void {
    tell({ kind: "hello", seq: this.seq });
    if (after !== undefined) {
      if (after > this.seq) tell({ kind: "reset", seq: this.seq });
      for (const frame of this.events) if (frame.seq > after) tell(frame);
    }
    this.listeners.add(tell);
    return () => void this.listeners.delete(tell);
  }

  /** What a browser says over the socket. */
  heard(frame: { kind: string; conversation?: string }): void {
    const of = this.conversation(frame.conversation ?? "");
    if (frame.kind === "read" && of && of.unreadCount > 0) {
      of.unreadCount = 0;
      this.emit("conversation.read", { conversation: of.id }, { conversation: { id: of.id, unreadCount: 0 } });
    }
  }

  async answer(asked: Asked): Promise<Answer> {
    this.asked.push(asked);
    for (const rule of this.rules) {
      const answer = await rule(asked);
      if (answer) return answer;
    }
    const key = asked.headers.get("idempotency-key");
    const before = key && this.keys.get(key);
    if (before) return before;
    const answer = this.#route(asked);
    if (key && answer.status < 300) this.keys.set(key, answer);
    return answer;
  }

  #route(asked: Asked): Answer {
    const routes = Object.entries(this.session ? { ...door, ...rooms } : door);
    for (const [route, answer] of routes) {
      const named = fits(route, asked);
      if (named) return answer(this, asked, named.id ?? "", named.act);
    }
    if (!this.session) return problem(401, "signed-out", "Sign in.");
    return problem(404, "missing", `There is no ${asked.method} ${asked.path}.`);
  }
}
