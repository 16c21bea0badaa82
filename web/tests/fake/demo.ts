import type { Conversation, Message } from "~/api/types";
import {
  ago,
  contact,
  conversation,
  gateway,
  idle,
  instance,
  lastOf,
  me,
  media,
  message,
  pieter,
  quickReply,
} from "./data.ts";
import { FakeServer } from "./server.ts";

const people = [
  "Lerato Mokoena",
  "Mandla Nkosi",
  "Fatima Adams",
  "Johan Swanepoel",
  "Zanele Mthembu",
  "Kagiso Molefe",
  "Riana Steyn",
  "Priya Naidoo",
  "Themba Zulu",
  "Bronwyn Daniels",
  "Devon September",
];

/** A morning at Quiver Tree Homes, to look at the screens with. `many`: further conversations, to scroll. */
export function demo(many = 300): FakeServer {
  const server = new FakeServer();
  const now = Date.now();
  const before = (minutes: number) => ago(minutes, now);
  const sales = instance({ lastInboundAt: before(2), lastOutboundAt: before(10) });
  const rentals = instance({
    name: "Rentals",
    provider: "evolution",
    phone: "+27820000002",
    gateway: { id: "gtw_own", name: "Office server", owner: "tenant" },
    sync: { state: "running", chats: 31, total: 80, finishedAt: null },
    lastInboundAt: before(31),
    lastOutboundAt: before(34),
  });
  const show = instance({
    name: "Show days",
    phone: "+27820000003",
    state: "attention",
    trouble: "loggedOut",
    sync: idle,
  });
  const office = instance({
    name: "Umhlanga office",
    phone: null,
    pushName: null,
    state: "linking",
    linkStep: "scan",
    sync: idle,
  });
  const desk = instance({
    name: "Front desk",
    provider: "cloud",
    phone: "+27820000004",
    gateway: { id: "gtw_meta", name: "WhatsApp Cloud API", owner: "tenant" },
    cloud: { phoneNumberId: "106540352242922", wabaId: "102290129340398", appId: null },
    state: "attention",
    trouble: "token",
    hookUrl: "https://indaba.example/api/webhooks/cloud/2Zk8tYwQfG3nB7xRmV1cLpD9sHjK4aEu",
    lastHookAt: null,
    sync: idle,
  });
  server.instances = [sales, rentals, show, office, desk];
  server.gateways = [
    gateway(),
    gateway({
      id: "gtw_own",
      name: "Office server",
      kind: "evolution",
      url: "https://evolution.office.example",
      owner: "tenant",
      instances: 1,
      capacity: 1000,
      health: { state: "ok", version: "2.3.7", engine: null, detail: null, checkedAt: before(1) },
    }),
    gateway({
      id: "gtw_old",
      name: "Old laptop",
      url: "http://waha.lan:3000",
      owner: "tenant",
      instances: 0,
      draining: true,
      health: {
        state: "down",
        version: "2026.6.1",
        engine: "NOWEB",
        detail: "the gateway cannot be reached: connection refused",
        checkedAt: before(1),
      },
    }),
  ];
  const add = (of: Conversation, part: Partial<Message>) => {
    const made = message(of, part);
    server.messages.push(made);
    of.lastMessage = lastOf(made);
    return made;
  };
  for (const [at, name] of people.entries()) {
    const who = contact(name, `+2782000${String(11 + at).padStart(4, "0")}`, {
      lastMessageAt: before(2 + at * 20),
      ...(at === 0 && { fields: { Budget: "R 3 600 000", Suburb: "Kenilworth" }, ownerId: me.id }),
    });
    server.contacts.push(who);
    server.conversations.push(
      conversation(who, at % 4 === 3 ? rentals : sales, {
        assignee: at % 3 === 0 ? me : at % 3 === 1 ? pieter : null,
        windowEndsAt: before(-23 * 60 - 58 + at * 20),
      }),
    );
  }
  const talk = (at: number) => server.conversations[at] as Conversation;
  const lerato = talk(0);
  const from = (minutes: number, part: Partial<Message>) => add(lerato, { createdAt: before(minutes), ...part });
  const out = (minutes: number, part: Partial<Message>) =>
    from(minutes, { direction: "outbound", readAt: before(minutes - 1), ...part });
  from(60 * 26, { body: "Good day. I saw *14 Ixia Lane* on your page. Is it still for sale?" });
  out(60 * 25, { body: "It is! R 3 450 000, three beds, two baths. Shall I send photos?" });
  const ask = from(190, { body: "Yes please, and can we bring two dogs?" });
  const picture = (name: string, hue: string): Message["media"] =>
    media({
      id: `med_${name}`,
      mime: "image/svg+xml",
      sizeBytes: 184_000,
      width: 1200,
      height: 800,
      durationMs: null,
      name: `${name}.jpg`,
      state: "ready",
      url: `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 12 8"><rect width="12" height="8" fill="${hue}"/><path d="M2 7V4l4-3 4 3v3z" fill="#f4f0e9"/><path d="M1 4.4 6 .6l5 3.8-.5.5L6 1.6 1.5 4.9z" fill="#8c4a2f"/></svg>`)}`,
    });
  out(186, {
    kind: "image",
    body: "Here they are. Two dogs are fine, the garden is fully walled.",
    media: picture("house", "#b9cfdb"),
    quoted: { id: ask.id, kind: "text", preview: ask.body ?? "", direction: "inbound", author: ask.author },
    replyTo: ask.id,
  });
  out(184, {
    kind: "document",
    body: null,
    media: media({
      kind: "document",
      id: "med_plan",
      mime: "application/pdf",
      sizeBytes: 1_240_000,
      width: null,
      height: null,
      durationMs: null,
      name: "14 Ixia Lane, floor plan.pdf",
      state: "ready",
      url: "/favicon.svg",
    }),
  });
  from(120, {
    kind: "voice",
    body: null,
    media: media({
      kind: "audio",
      id: "med_v",
      mime: "audio/ogg",
      sizeBytes: 42_000,
      width: null,
      height: null,
      durationMs: 42_000,
      name: null,
      state: "ready",
      url: "/nothing.ogg",
    }),
  });
  from(118, {
    kind: "location",
    body: "Kenilworth",
    content: {
      kind: "location",
      latitude: -33.9934,
      longitude: 18.4737,
      name: "Kenilworth station",
      address: "Kenilworth, Cape Town",
    },
  });
  from(117, {
    kind: "contacts",
    body: "Sipho Mokoena",
    content: {
      kind: "contacts",
      contacts: [{ name: "Sipho Mokoena", phones: [{ value: "082 000 0099", whatsapp: "+27820000099" }] }],
    },
  });
  out(90, {
    author: { kind: "phone", id: null, name: null },
    body: "On my way to show day, will answer from the phone.",
    state: "delivered",
  });
  out(60, {
    author: { kind: "user", ...pieter },
    body: "The seller wants:\n* offers by Friday\n* a _pre-approved_ bond\n\n> two dogs are fine\nSee https://quivertree.example/ixia",
    content: {
      preview: {
        url: "https://quivertree.example/ixia",
        site: "Quiver Tree Homes",
        title: "12 Ixia Street, Kenilworth: three rooms and a garden",
        description: "R 3 450 000. Near the station, with a borehole and room for two dogs.",
        picture: { id: "med_none", width: 640, height: 360 },
      },
    },
    state: "delivered",
  });
  out(40, {
    kind: "text",
    body: "Here is a short video of the garden.",
    state: "failed",
    error: { code: "too-large", detail: "The video is over 16 MB." },
  });
  out(39, { body: "And the rates account.", state: "unknown", error: { code: "cut-off", detail: "" } });
  from(12, { kind: "unsupported", body: null, content: { kind: "unsupported", name: "event_creation" } });
  from(3, {
    body: "Saturday morning works 🙌",
    reactions: [{ emoji: "👍", by: { kind: "user", ...me }, at: before(2) }],
  });
  from(2, { body: "What are the rates and levies?" });
  lerato.unreadCount = 2;

  const rows: Partial<Message>[] = [
    { kind: "voice", body: null },
    { direction: "outbound", body: "The lease starts on 1 August, yes", state: "read" },
    { direction: "outbound", body: "Here is the video", state: "failed", error: { code: "x", detail: "Too large." } },
    { kind: "image", body: null },
    { direction: "outbound", body: "Morning Kagiso, the owner would", state: "delivered" },
    { direction: "outbound", body: "Ek stuur die dokumente nou deur", state: "unknown" },
    { direction: "outbound", body: "Here is the floor plan for unit 7", state: "delivered" },
    { direction: "outbound", body: "Good day Themba, following up on", state: "queued" },
    { direction: "outbound", body: "Thank you, see you at the show day", state: "read" },
    { body: "When can we call you?" },
  ];
  for (const [at, part] of rows.entries()) add(talk(at + 1), { createdAt: before(14 + at * 26), ...part });
  talk(1).unreadCount = 1;
  talk(4).unreadCount = 3;
  for (let at = 0; at < many; at += 1) {
    const who = contact(at % 5 ? `Customer ${at + 1}` : null, `+2783${String(1_000_000 + at)}`);
    server.contacts.push(who);
    const of = conversation(who, at % 2 ? sales : rentals, { state: at % 9 === 8 ? "closed" : "open" });
    add(of, { createdAt: before(600 + at * 37), body: `Is number ${at + 1} still to let?` });
    server.conversations.push(of);
  }
  server.quickReplies = [
    quickReply({ uses: 41 }),
    quickReply({
      shortcut: "levies",
      title: "Rates and levies",
      body: "The rates are R 1 850 a month, the levies R 2 100. Anything else, {{contact.first_name|there}}?",
      uses: 12,
    }),
    quickReply({
      shortcut: "viewing",
      title: "Offer a viewing",
      body: "Good day {{contact.first_name|there}}, would Saturday at 10:00 suit you for a viewing? {{user.first_name}}",
      scope: "me",
      uses: 1,
    }),
  ];
  return server;
}

/** Lets the gateway's side happen: what is sent moves on by itself. */
export function lively(server: FakeServer): void {
  server.listeners.add((frame) => {
    const { kind, ids } = frame as { kind: string; ids: Record<string, string> };
    if (kind !== "message.queued" || !ids.message) return;
    const id = ids.message;
    for (const [state, wait] of [
      ["sending", 300],
      ["sent", 800],
      ["delivered", 1600],
      ["read", 3200],
    ] as const)
      setTimeout(() => server.move(id, state, state === "read" ? { readAt: new Date().toISOString() } : {}), wait);
  });
}
