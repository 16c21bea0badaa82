import type {
  Contact,
  Conversation,
  Gateway,
  Instance,
  Label,
  Media,
  Message,
  Note,
  QuickReply,
  Session,
} from "~/api/types";

// People and houses that do not exist, for the tests and for work on the UI without a server.

export const NOW = Date.parse("2026-11-20T08:57:00.000Z");
const MINUTE = 60_000;
export const ago = (minutes: number, from = NOW): string => new Date(from - minutes * MINUTE).toISOString();

let counter = 0;
/** Ids that sort in the order in which they are made, as the server's do. */
export const nextId = (prefix: string): string => `${prefix}_01${(counter++).toString(36).padStart(10, "0")}`;

export const session: Session = {
  user: { id: "usr_naledi", email: "naledi@quivertree.example", name: "Naledi Dube" },
  tenant: {
    id: "ten_quiver",
    name: "Quiver Tree Homes",
    slug: "quiver-tree-homes",
    timeZone: "Africa/Johannesburg",
    locale: "en",
    country: "ZA",
    linkPreviews: false,
  },
  role: "admin",
  tenants: [
    { id: "ten_quiver", name: "Quiver Tree Homes", slug: "quiver-tree-homes", role: "admin" },
    { id: "ten_protea", name: "Protea Lettings", slug: "protea-lettings", role: "agent" },
  ],
  operator: false,
};

export const me = { id: session.user.id, name: session.user.name };
export const pieter = { id: "usr_pieter", name: "Pieter Botha" };

export function quickReply(part: Partial<QuickReply> = {}): QuickReply {
  return {
    id: nextId("qrp"),
    scope: "all",
    shortcut: "hello",
    title: "Greeting",
    body: "Good day {{contact.first_name|there}}, {{user.first_name}} here.",
    media: null,
    uses: 0,
    createdAt: ago(9e4),
    updatedAt: ago(9e4),
    ...part,
  };
}

const instanceOf = (one: Instance) => ({ id: one.id, name: one.name, provider: one.provider });

export function instance(part: Partial<Instance> = {}): Instance {
  return {
    id: nextId("ins"),
    provider: "waha",
    name: "Sales line",
    gateway: { id: "gtw_pool", name: "Johannesburg 1", owner: "operator" },
    state: "connected",
    linkStep: null,
    trouble: null,
    stateReason: null,
    phone: "+27820000001",
    pushName: "Quiver Tree",
    capabilities: { pairingCode: true, poll: true },
    hookUrl: "https://indaba.example/api/webhooks/waha/token",
    cloud: null,
    sync: { state: "done", chats: 42, total: 42, finishedAt: ago(600) },
    lastInboundAt: ago(2),
    lastOutboundAt: ago(10),
    lastHookAt: ago(2),
    code: null,
    pausedUntil: null,
    newChatsPausedUntil: null,
    sentToday: 12,
    newChatsToday: 3,
    newChatsBudget: 50,
    createdAt: ago(60 * 24 * 40),
    ...part,
  };
}

export function gateway(part: Partial<Gateway> = {}): Gateway {
  return {
    id: "gtw_pool",
    name: "Johannesburg 1",
    kind: "waha",
    url: "https://waha.indaba.example",
    owner: "operator",
    region: null,
    capacity: 20,
    instances: 3,
    draining: false,
    createdAt: ago(60 * 24 * 90),
    health: { state: "ok", version: "2026.6.1", engine: "WEBJS", detail: null, checkedAt: ago(1) },
    ...part,
  };
}

export const idle: Instance["sync"] = { state: "idle", chats: 0, total: null, finishedAt: null };

export function media(part: Partial<Media> = {}): Media {
  return {
    id: nextId("med"),
    kind: "image",
    mime: "image/png",
    sizeBytes: 1000,
    width: 4,
    height: 3,
    durationMs: null,
    name: "a.png",
    state: "ready",
    error: null,
    url: "/favicon.svg",
    ...part,
  };
}

export function contact(name: string | null, phone: string, part: Partial<Contact> = {}): Contact {
  return {
    id: nextId("con"),
    name,
    phone,
    status: "active",
    identities: [{ kind: "phone", value: phone, instanceId: null }],
    ownerId: null,
    fields: {},
    lastMessageAt: null,
    optedOutAt: null,
    createdAt: ago(60 * 24 * 9),
    ...part,
  };
}

export function conversation(of: Contact, on: Instance, part: Partial<Conversation> = {}): Conversation {
  return {
    id: nextId("cnv"),
    contact: { id: of.id, name: of.name ?? null, phone: of.phone ?? null },
    instanceId: on.id,
    instance: instanceOf(on),
    state: "open",
    assignee: null,
    unreadCount: 0,
    lastMessage: null,
    windowEndsAt: null,
    snoozedUntil: null,
    waitingSince: null,
    labels: [],
    assistant: { mode: "off", pausedUntil: null },
    createdAt: ago(60 * 24 * 9),
    ...part,
  };
}

export function message(of: Conversation, part: Partial<Message> = {}): Message {
  const out = part.direction === "outbound";
  return {
    id: nextId("msg"),
    conversationId: of.id,
    direction: "inbound",
    author: out
      ? { kind: "user", id: me.id, name: me.name }
      : { kind: "contact", id: of.contact.id, name: of.contact.name ?? null },
    kind: "text",
    body: "Hello",
    content: {},
    state: out ? "read" : "received",
    error: null,
    replyTo: null,
    quoted: null,
    reactions: [],
    media: null,
    createdAt: ago(0),
    editedAt: null,
    deletedAt: null,
    sentAt: null,
    deliveredAt: null,
    readAt: null,
    ...part,
  };
}

export const label = (name: string, colour: Label["colour"] = "stone"): Label => ({
  id: nextId("lbl"),
  name,
  colour,
  createdAt: ago(60 * 24),
});

export const note = (of: Conversation, part: Partial<Note> = {}): Note => ({
  id: nextId("nte"),
  conversationId: of.id,
  author: { kind: "user", ...me },
  body: "Wants a garden",
  mentions: [],
  createdAt: ago(0),
  ...part,
});

export const lastOf = (one: Message): NonNullable<Conversation["lastMessage"]> => ({
  id: one.id,
  kind: one.kind,
  preview: one.body ?? "",
  direction: one.direction,
  state: one.state,
  author: one.author,
  at: one.createdAt,
});
