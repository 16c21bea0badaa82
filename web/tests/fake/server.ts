import type {
  Contact,
  Conversation,
  Gateway,
  Instance,
  Label,
  Media,
  Message,
  Note,
  Page,
  Preferences,
  QuickReply,
  Session,
  User,
} from "~/api/types";
import * as data from "./data.ts";

/** What was asked, for tests that look. */
export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  headers: Headers;
}

type Answer = { status: number; body?: unknown; headers?: Record<string, string> };
type Rule = (asked: Asked) => Answer | undefined | Promise<Answer | undefined>;

interface Frame {
  seq: number;
  kind: string;
  at: string;
  ids: Record<string, string>;
  patch: Record<string, unknown>;
}

const ok = (body: unknown): Answer => ({ status: 200, body });
export const problem = (status: number, slug: string, detail: string, errors?: unknown): Answer => ({
  status,
  body: {
    type: `/problems/${slug}`,
    title: slug,
    status,
    detail,
    requestId: "req_01test",
    ...(errors ? { errors } : {}),
  },
  headers: { "x-request-id": "req_01test" },
});

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

  #page<T>(items: T[], query: URLSearchParams): Page<T> {
    const from = Number(query.get("after") ?? 0);
    const limit = Number(query.get("limit") ?? 50);
    return {
      items: structuredClone(items.slice(from, from + limit)),
      next: from + limit < items.length ? String(from + limit) : null,
    };
  }

  #list(query: URLSearchParams): Conversation[] {
    const user = this.session?.user.id;
    const at = (one: Conversation) => one.lastMessage?.at ?? one.createdAt;
    const state = query.get("state") ?? "open";
    const assignee = query.get("assignee");
    const found = this.conversations.filter(
      (one) =>
        (state === "all" || one.state === state) &&
        (!query.get("instanceId") || one.instanceId === query.get("instanceId")) &&
        (assignee !== "me" || one.assignee?.id === user) &&
        (assignee !== "none" || !one.assignee) &&
        (!query.get("label") || one.labels.includes(query.get("label") ?? "")) &&
        (!query.get("unread") || one.unreadCount > 0) &&
        (query.get("waiting") !== "us" || one.lastMessage?.direction === "inbound") &&
        (query.get("waiting") !== "them" || one.lastMessage?.direction === "outbound"),
    );
    const newest = (a: Conversation, b: Conversation) => at(b).localeCompare(at(a));
    const sort = query.get("sort");
    const waits = (one: Conversation) => one.waitingSince ?? "9";
    if (sort === "waiting") return found.sort((a, b) => waits(a).localeCompare(waits(b)) || newest(a, b));
    return found.sort((a, b) =>
      sort === "oldest"
        ? -newest(a, b)
        : sort === "unread"
          ? Number(b.unreadCount > 0) - Number(a.unreadCount > 0) || newest(a, b)
          : newest(a, b),
    );
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
    const { method, path, query, body } = asked;
    const call = `${method} ${path}`;
    if (call === "POST /api/auth/sign-in" || call === "POST /api/auth/sign-up") {
      if (body.password === "wrong-password") return problem(401, "wrong", "Wrong.");
      this.session = structuredClone(data.session);
      return { status: path.endsWith("up") ? 201 : 200, body: this.session };
    }
    if (call === "POST /api/auth/sign-out") {
      this.session = undefined;
      return { status: 204 };
    }
    if (!this.session) return problem(401, "signed-out", "Sign in.");
    if (call === "POST /api/auth/refresh" || path === "/api/me") return ok(this.session);
    if (path === "/api/me/preferences") {
      Object.assign(this.preferences, method === "PATCH" ? body : {});
      this.preferences.availability = this.preferences.away ? "away" : "available";
      return ok({ ...this.preferences });
    }
    if (path === "/api/users") return ok(this.#page(this.users, query));
    if (call === "GET /api/labels") return ok(this.#page(this.labels, query));
    if (call === "POST /api/labels") return this.#newLabel(body);
    const label = /^\/api\/labels\/([^/]+)$/.exec(path);
    if (label) return this.#label(method, label[1] ?? "", body);
    const note = /^\/api\/notes\/([^/]+)$/.exec(path);
    if (note) return this.#dropNote(note[1] ?? "");
    if (path === "/api/me/sign-ins")
      return ok({
        items: [
          {
            id: "sin_1",
            userAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0",
            ip: "196.25.1.9",
            createdAt: data.ago(400),
            lastUsedAt: data.ago(0),
            current: true,
          },
          {
            id: "sin_2",
            userAgent: "Mozilla/5.0 (iPhone) Version/18 Safari/605",
            ip: "105.0.2.7",
            createdAt: data.ago(4000),
            lastUsedAt: data.ago(90),
            current: false,
          },
        ],
      });
    if (path === "/api/invitations")
      return ok({
        items: [
          {
            id: "inv_1",
            email: "thandi@quivertree.example",
            role: "agent",
            url: "https://indaba.example/sign-up?invitation=abc",
            expiresAt: data.ago(-9000),
          },
        ],
        next: null,
      });
    if (path === "/api/api-keys")
      return ok({
        items: [
          {
            id: "key_1",
            name: "n8n",
            role: "agent",
            prefix: "ik_7fQ2",
            scopes: [],
            createdAt: data.ago(9000),
            expiresAt: null,
            lastUsedAt: data.ago(40),
          },
        ],
        next: null,
      });
    if (path === "/api/audit")
      return ok({
        items: [
          {
            id: "aud_2",
            at: data.ago(4),
            actor: { kind: "user", ...data.me },
            action: "conversation.close",
            subject: { kind: "conversation", id: "cnv_1" },
            before: { state: "open" },
            after: { state: "closed" },
            requestId: "req_01",
          },
          {
            id: "aud_1",
            at: data.ago(300),
            actor: { kind: "user", ...data.pieter },
            action: "instance.create",
            subject: { kind: "instance", id: "ins_1" },
            before: null,
            after: { name: "Sales line" },
            requestId: "req_02",
          },
        ],
        next: null,
      });
    if (path === "/api/jobs/summary")
      return ok({
        kinds: [
          { kind: "message.send", ready: 2, running: 1, dead: 0 },
          { kind: "media.fetch", ready: 0, running: 0, dead: 1 },
        ],
      });
    if (path === "/api/jobs")
      return ok({
        items: [
          {
            id: "job_2",
            kind: "media.fetch",
            state: "dead",
            lane: null,
            priority: 2,
            attempt: 8,
            maxAttempts: 8,
            runAt: data.ago(9),
            lastError: "the gateway answered 500 to GET /api/files/a.jpg",
            createdAt: data.ago(30),
            startedAt: data.ago(9),
            finishedAt: data.ago(9),
          },
          {
            id: "job_1",
            kind: "message.send",
            state: "running",
            lane: "out:cnv_1",
            priority: 0,
            attempt: 1,
            maxAttempts: 8,
            runAt: data.ago(0),
            lastError: null,
            createdAt: data.ago(0),
            startedAt: data.ago(0),
            finishedAt: null,
          },
        ],
        next: null,
      });
    if (call === "GET /api/gateways") return ok(this.#page(this.gateways, query));
    if (call === "POST /api/gateways") {
      const made = data.gateway({
        id: data.nextId("gtw"),
        name: String(body.name ?? new URL(String(body.url)).host),
        kind: String(body.kind),
        url: String(body.url),
        owner: "tenant",
        instances: 0,
      });
      this.gateways.push(made);
      return { status: 201, body: made };
    }
    const gateway = /^\/api\/gateways\/([^/]+)(?:\/(.+))?$/.exec(path);
    if (gateway) return this.#gateway(method, gateway[1] ?? "", gateway[2], body);
    if (call === "GET /api/instances") return ok(this.#page(this.instances, query));
    if (call === "POST /api/instances") {
      const settings = (body.settings ?? {}) as Record<string, string>;
      const metas = body.provider === "cloud";
      const made = data.instance({
        provider: String(body.provider ?? "waha"),
        name: String(body.name),
        state: metas ? "connected" : "linking",
        linkStep: metas ? null : "scan",
        phone: metas ? "+27820000077" : null,
        pushName: null,
        sync: data.idle,
        ...(metas && {
          lastHookAt: null,
          cloud: { phoneNumberId: settings.phoneNumberId ?? "", wabaId: settings.wabaId ?? "", appId: null },
        }),
      });
      this.instances.push(made);
      return { status: 201, body: made };
    }
    const number = /^\/api\/instances\/([^/]+)(?:\/(.+))?$/.exec(path);
    if (number) return this.#instance(method, number[1] ?? "", number[2], body);
    if (call === "GET /api/contacts") {
      const words = (query.get("search") ?? "").toLowerCase();
      return ok(
        this.#page(
          this.contacts.filter(
            (one) =>
              `${one.name} ${one.phone}`.toLowerCase().includes(words) &&
              (!query.get("status") || one.status === query.get("status")),
          ),
          query,
        ),
      );
    }
    const person = /^\/api\/contacts\/([^/]+)$/.exec(path);
    if (person) {
      const one = this.contacts.find((other) => other.id === person[1]);
      if (!one) return problem(404, "missing", "There is no such contact.");
      if (method === "PATCH") Object.assign(one, body);
      return ok(one);
    }
    if (path === "/api/conversations/counts") {
      const open = this.conversations.filter((one) => one.state === "open");
      return ok({
        open: open.length,
        unread: open.filter((one) => one.unreadCount > 0).length,
        unassigned: open.filter((one) => !one.assignee).length,
        mine: open.filter((one) => one.assignee?.id === this.session?.user.id).length,
      });
    }
    if (call === "GET /api/conversations") return ok(this.#page(this.#list(query), query));
    if (call === "POST /api/conversations") {
      const one = this.conversations.find(
        (other) => other.contact.id === body.contactId || other.contact.phone === body.phone,
      );
      return one ? { status: 201, body: one } : problem(422, "invalid", "This number is not on WhatsApp.");
    }
    const quick = /^\/api\/quick-replies(?:\/(.+))?$/.exec(path);
    if (quick) return this.#quick(asked, quick[1]);
    const talk = /^\/api\/conversations\/([^/]+)(?:\/(.+))?$/.exec(path);
    if (talk) return this.#talk(asked, talk[1] ?? "", talk[2]);
    const item = /^\/api\/messages\/([^/]+)\/(.+)$/.exec(path);
    if (item) return this.#message(item[1] ?? "", item[2] ?? "", body);
    if (path === "/api/media") {
      const made = data.media();
      this.media.set(made.id, made);
      return { status: 201, body: made };
    }
    if (path === "/api/search") {
      const words = (query.get("q") ?? "").toLowerCase();
      const hits = this.messages
        .filter((one) => one.body?.toLowerCase().includes(words))
        .map((one) => {
          const of = this.conversation(one.conversationId);
          return {
            kind: "message",
            contact: of?.contact,
            conversationId: one.conversationId,
            message: {
              id: one.id,
              kind: one.kind,
              direction: one.direction,
              preview: one.body,
              createdAt: one.createdAt,
            },
            snippet: one.body,
          };
        });
      return ok(this.#page(hits, query));
    }
    return problem(404, "missing", `There is no ${call}.`);
  }

  #newLabel({ name, colour }: Record<string, unknown>): Answer {
    if (this.labels.some((one) => one.name.toLowerCase() === String(name).toLowerCase()))
      return problem(409, "label-exists", "There is a label of this name.");
    const made = data.label(String(name), colour as Label["colour"]);
    this.labels.push(made);
    this.emit("label.created", { label: made.id }, { label: made });
    return { status: 201, body: made };
  }

  #label(method: string, id: string, body: Record<string, unknown>): Answer {
    const one = this.labels.find((other) => other.id === id);
    if (!one) return problem(404, "missing", "There is no such label.");
    if (method === "DELETE") {
      this.labels = this.labels.filter((other) => other !== one);
      this.emit("label.deleted", { label: id }, { label: { id, removed: true } });
      return { status: 204 };
    }
    Object.assign(one, body);
    this.emit("label.updated", { label: id }, { label: one });
    return ok(one);
  }

  /** A note of somebody: stored and told. */
  note(of: Conversation, part: Partial<Note> = {}): Note {
    const made = data.note(of, { createdAt: new Date().toISOString(), ...part });
    this.notes.push(made);
    this.emit("conversation.noted", { conversation: of.id, note: made.id }, { note: made });
    return made;
  }

  #dropNote(id: string): Answer {
    const one = this.notes.find((other) => other.id === id);
    if (!one) return problem(404, "missing", "There is no such note.");
    this.notes = this.notes.filter((other) => other !== one);
    const gone = { id, conversationId: one.conversationId, removed: true };
    this.emit("note.deleted", { conversation: one.conversationId, note: id }, { note: gone });
    return { status: 204 };
  }

  #quick({ method, query, body }: Asked, id: string | undefined): Answer {
    const of = (one: QuickReply) => (a: QuickReply) =>
      a !== one && a.scope === one.scope && a.shortcut === one.shortcut.replace(/^\//, "").toLowerCase();
    const sorted = () => this.quickReplies.sort((a, b) => (a.shortcut < b.shortcut ? -1 : 1));
    if (!id && method === "GET") return ok(this.#page(sorted(), query));
    const before = this.quickReplies.find((one) => one.id === id);
    if (id && !before) return problem(404, "missing", "There is no such quick reply.");
    if (method === "DELETE") {
      this.quickReplies = this.quickReplies.filter((one) => one !== before);
      return { status: 204 };
    }
    const { mediaId, ...fields } = body;
    const one = data.quickReply({ ...before, ...fields } as Partial<QuickReply>);
    if (this.quickReplies.filter((other) => other !== before).some(of(one)))
      return problem(409, "shortcut-taken", "Another quick reply has it.");
    one.shortcut = one.shortcut.replace(/^\//, "").toLowerCase();
    one.media = this.media.get(String(mediaId)) ?? null;
    this.quickReplies = [...this.quickReplies.filter((other) => other !== before), one];
    this.emit("quick_reply.changed", { quickReply: one.id }, {});
    return { status: before ? 200 : 201, body: one };
  }

  #gateway(method: string, id: string, act: string | undefined, body: Record<string, unknown>): Answer {
    const one = this.gateways.find((other) => other.id === id);
    if (!one) return problem(404, "missing", "There is no such gateway.");
    if (method === "DELETE") {
      this.gateways = this.gateways.filter((other) => other !== one);
      return { status: 204 };
    }
    if (act === "setup")
      return ok({
        url: "https://indaba.example/api/webhooks/waha/shared",
        events: ["message.any"],
        secret: "s".repeat(64),
      });
    if (act === "check") one.health = { ...one.health, state: "ok", detail: null, checkedAt: data.ago(0) };
    const { apiKey: _, ...change } = body;
    if (method === "PATCH") Object.assign(one, change);
    return ok(structuredClone(one));
  }

  #instance(method: string, id: string, act: string | undefined, body: Record<string, unknown>): Answer {
    const one = this.instances.find((other) => other.id === id);
    if (!one) return problem(404, "missing", "There is no such number.");
    if (method === "DELETE") {
      this.instances = this.instances.filter((other) => other !== one);
      return { status: 204 };
    }
    if (method === "PATCH") Object.assign(one, body);
    if (act === "qr") {
      if (one.linkStep !== "scan") return problem(409, "no-code", "There is nothing to scan.");
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 37 37"><rect width="37" height="37" fill="#fff"/><path d="${Array.from({ length: 400 }, (_, at) => `M${4 + ((at * 7) % 29)} ${4 + ((at * at * 3 + at) % 29)}h1v1h-1z`).join("")}"/></svg>`;
      return ok({
        dataUrl: `data:image/svg+xml,${encodeURIComponent(svg)}`,
        expiresAt: new Date(Date.now() + 42_000).toISOString(),
        attempt: 2,
        attempts: 6,
      });
    }
    if (act === "check")
      return ok({
        steps: [
          { name: "reach", ok: true, detail: "Meta answers" },
          { name: "key", ok: true, detail: "the access token is right" },
          { name: "hooks", ok: false, detail: "no call has come yet: write to the number from a phone" },
        ],
      });
    if (act === "pairing-code") return ok({ code: "ABCD-1234" });
    if (act === "start") Object.assign(one, { state: "linking", linkStep: "scan" });
    if (act === "stop") Object.assign(one, { state: "paused", linkStep: null });
    if (act === "logout") Object.assign(one, { state: "disconnected", linkStep: null, trouble: "loggedOut" });
    return ok(structuredClone(one));
  }

  #talk({ method, query, body }: Asked, id: string, act: string | undefined): Answer {
    const one = this.conversation(id);
    if (!one) return problem(404, "missing", "There is no such conversation.");
    const thread = this.messages.filter((other) => other.conversationId === id).sort((a, b) => (a.id < b.id ? 1 : -1));
    const notes = this.notes.filter((other) => other.conversationId === id).reverse();
    if (act === "messages" && method === "GET") return ok({ ...this.#page(thread, query), notes: [] });
    if (act === "notes")
      return {
        status: 201,
        body: structuredClone(this.note(one, { body: String(body.body), mentions: (body.mentions as string[]) ?? [] })),
      };
    if (act === "messages") {
      const quoted = thread.find((other) => other.id === body.replyTo);
      // What is said without a text of its own is found by its first words.
      const part = body.poll ?? body.location ?? (body.contacts ? { contacts: this.#cards(body.contacts) } : {});
      const said = part as { question?: string; name?: string; contacts?: { name: string }[] };
      const made = this.say(one, {
        direction: "outbound",
        kind: String(body.kind),
        body: (body.body as string) ?? said.question ?? said.name ?? said.contacts?.[0]?.name ?? null,
        content: part as Message["content"],
        state: "queued",
        replyTo: (body.replyTo as string) ?? null,
        quoted: quoted
          ? {
              id: quoted.id,
              kind: quoted.kind,
              preview: quoted.body ?? "",
              direction: quoted.direction,
              author: quoted.author,
            }
          : null,
        media: this.media.get(String(body.mediaId)) ?? null,
      });
      return { status: 201, body: structuredClone(made) };
    }
    if (act === "read") one.unreadCount = 0;
    if (method === "PATCH") {
      if (body.state) one.state = body.state as Conversation["state"];
      if (body.labels) one.labels = body.labels as string[];
      if ("assigneeId" in body) one.assignee = this.users.find((other) => other.id === body.assigneeId) ?? null;
      this.emit(
        body.labels ? "conversation.labelled" : body.state ? "conversation.closed" : "conversation.assigned",
        { conversation: id },
        { conversation: one },
      );
    }
    if (!query.get("include")) return ok(structuredClone(one));
    return ok({
      ...structuredClone(one),
      messages: { ...this.#page(thread, new URLSearchParams({ limit: "50" })), notes: structuredClone(notes) },
      contactDetail: this.contacts.find((other) => other.id === one.contact.id),
    });
  }

  #cards(of: unknown): { name: string; phones: { value: string }[] }[] {
    return (of as { contactId?: string; name?: string; phone?: string }[]).map((one) => {
      const known = this.contacts.find((other) => other.id === one.contactId);
      return { name: known?.name ?? one.name ?? "", phones: [{ value: known?.phone ?? one.phone ?? "" }] };
    });
  }

  #message(id: string, act: string, body: Record<string, unknown>): Answer {
    const one = this.messages.find((other) => other.id === id);
    if (!one) return problem(404, "missing", "There is no such message.");
    if (act === "reactions") {
      const others = one.reactions.filter((other) => other.by.id !== data.me.id);
      one.reactions = body.emoji
        ? [...others, { emoji: String(body.emoji), by: { kind: "user", ...data.me }, at: new Date().toISOString() }]
        : others;
    }
    if (act === "resend") this.move(id, "queued", { error: null });
    if (act === "mark-sent") this.move(id, "sent", { error: null });
    if (act === "cancel") this.move(id, "cancelled");
    return ok(structuredClone(one));
  }
}
