// One message of the thread, and what can be done with it.

import { call, day, drawing, h, say, time } from "/phone/page.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "🙏"];

/** Kinds in words, for quotes and lists. */
export const KINDS = {
  image: "Photo", video: "Video", voice: "Voice note", audio: "Audio", document: "Document", sticker: "Sticker",
  location: "Location", contacts: "Contact card", poll: "Poll", text: "",
};

/** What a message says in one line. */
export function preview(message) {
  if (message.revoked) return "Deleted";
  const kind = KINDS[message.kind] ?? message.kind;
  const words = message.body ?? message.poll?.name ?? message.location?.name ?? "";
  return [kind, words].filter(Boolean).join(": ");
}

/** The ticks of a message as its author sees them. */
function tick(message) {
  const one = "M2 6.8 4.8 9.5 11 2.5";
  const two = "M8.2 8.6 9.2 9.5 15.5 2.5";
  const seen = message.fromMe ? message.ack >= 3 : message.seenByBusiness;
  const [name, word, paths] =
    message.ack === -1 ? ["failed", "Failed", ["M9 1.5v5.5M9 10v.5"]]
    : seen ? ["read", message.ack === 4 ? "Played" : "Read", [one, two]]
    : !message.fromMe || message.ack === 2 ? ["delivered", "Delivered", [one, two]]
    : message.ack === 1 ? ["sent", "Sent", [one]]
    : ["pending", "Sending", ["M9 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8M9 3.8V6l1.5 1"]];
  return [drawing(paths, `tick ${name}`, 18, 12), h("span", { class: "sr" }, word)];
}

function media(message) {
  const { url, mimetype, filename } = message.media;
  if (message.kind === "image" || message.kind === "sticker") {
    return h("img", { src: url, alt: message.body || "Photo", loading: "lazy", "data-testid": "photo" });
  }
  if (message.kind === "video") return h("video", { src: url, controls: true, preload: "metadata" });
  if (message.kind === "voice" || message.kind === "audio") {
    return h("audio", { src: url, controls: true, preload: "metadata", "aria-label": KINDS[message.kind], "data-testid": "voice" });
  }
  return h("a", { class: "paper", href: url, download: filename ?? "file" }, `${filename ?? "File"} (${mimetype})`);
}

function poll(message, me) {
  const votes = message.poll.votes;
  const mine = votes[me] ?? [];
  const count = (option) => Object.values(votes).filter((chosen) => chosen.includes(option)).length;
  const choose = (option) => {
    const rest = mine.filter((chosen) => chosen !== option);
    const options = mine.includes(option) ? rest : message.poll.multiple ? [...mine, option] : [option];
    return act(message, "vote", { from: me, options });
  };
  return h("fieldset", { class: "poll", "data-testid": "poll" },
    h("legend", {}, message.poll.name),
    ...message.poll.options.map((option) =>
      h("button", {
        type: "button", "data-testid": "poll-option", "aria-pressed": String(mine.includes(option)),
        disabled: message.revoked, click: () => choose(option),
      }, option, h("span", { class: "muted" }, String(count(option))))));
}

function choices(message) {
  return h("div", { class: "poll", role: "group", "aria-label": "Answers", "data-testid": "choices" },
    ...message.choices.map((choice) =>
      h("button", {
        type: "button", "data-testid": "choice", "data-choice": choice.id, disabled: message.revoked,
        click: () => act(message, "choose", { option: choice.id }),
      }, choice.title, choice.description && h("span", { class: "muted" }, choice.description))));
}

function content(message, me) {
  if (message.revoked) return [h("span", { class: "gone" }, "This message was deleted")];
  const parts = [];
  if (message.quoted) {
    const words = message.quoted.body ?? KINDS[message.quoted.kind] ?? "Message";
    parts.push(h("div", { class: "quote", "data-testid": "quote" }, words));
  }
  if (message.media) parts.push(media(message));
  if (message.poll) parts.push(poll(message, me));
  if (message.location) {
    const { latitude, longitude, name } = message.location;
    parts.push(h("div", { class: "paper" }, `${name ?? "Location"} (${latitude.toFixed(4)}, ${longitude.toFixed(4)})`));
  }
  for (const card of message.contacts ?? []) {
    parts.push(h("div", { class: "paper" }, `Contact: ${/^FN:(.*)$/m.exec(card)?.[1] ?? "?"}`));
  }
  if (message.body) parts.push(h("span", { class: "body", "data-testid": "body" }, message.body));
  if (message.choices?.length && me !== "me") parts.push(choices(message));
  return parts;
}

function act(message, what, body) {
  return call("POST", `/numbers/${message.number}/messages/${message.id}/${what}`, body ?? {});
}

/** Closes the menu that is open, if one is. */
export function closeMenu() {
  document.querySelectorAll(".menu").forEach((open) => open.remove());
  document.querySelectorAll(".more").forEach((open) => open.setAttribute("aria-expanded", "false"));
}

function menu(message, me, mine, reply) {
  const item = (words, testid, work) =>
    h("button", { type: "button", role: "menuitem", "data-testid": testid, click: () => { closeMenu(); work(); } }, words);
  const edit = () => {
    const body = prompt("New words", message.body ?? "");
    if (body) act(message, "edit", { body });
  };
  const own = message.reactions.find(({ by }) => by === me)?.emoji;
  return h("div", { class: "menu", role: "menu", "data-testid": "menu" },
    h("div", { class: "emojis", role: "group", "aria-label": "React" }, ...EMOJI.map((emoji) =>
      h("button", {
        type: "button", role: "menuitem", "aria-label": `React with ${emoji}`, "data-testid": "react", "data-emoji": emoji,
        click: () => { closeMenu(); act(message, "reaction", { from: me, emoji: own === emoji ? "" : emoji }); },
      }, emoji))),
    item("Reply", "reply", () => reply(message)),
    item("Copy", "copy", () => navigator.clipboard?.writeText(message.body ?? "").then(() => say("Copied"))),
    mine && message.body !== null && item("Edit", "edit", edit),
    mine && item("Delete for everyone", "revoke", () => act(message, "revoke")));
}

/** A message as `me` (a customer's phone, or `me` for the owner) sees it. */
export function draw(message, me, before, reply) {
  const mine = me === "me" ? message.fromMe : !message.fromMe && message.author.phone === me;
  const first = !before || before.fromMe !== message.fromMe || message.at - before.at > 180_000;
  const box = h("div", {
    class: `message${mine ? " mine" : ""}${first ? " first" : ""}`,
    "data-testid": "message", "data-id": message.id, "data-kind": message.kind, "data-ack": message.ackName,
    "data-from": message.fromMe ? "business" : "customer", "data-via": message.author.via ?? null,
  });
  const more = h("button", {
    type: "button", class: "more", "data-testid": "more", "aria-label": "What to do with this message", "aria-expanded": "false",
    click: () => {
      const there = box.querySelector(".menu");
      closeMenu();
      if (!there) {
        box.append(menu(message, me, mine, reply));
        more.setAttribute("aria-expanded", "true");
        box.scrollIntoView({ block: "nearest" });
      }
    },
  }, "⋯");
  const words = [message.edited && !message.revoked && "edited", message.author.via === "phone" && "from the phone", time(message.at)];
  box.append(
    h("div", { class: "bubble" }, ...content(message, me),
      h("div", { class: "meta" }, words.filter(Boolean).join(" · "), ...(mine && !message.revoked ? tick(message) : []))),
    ...(message.reactions.length === 0 ? [] : [h("div", { class: "reactions", "data-testid": "reactions" },
      ...message.reactions.map(({ by, emoji }) => h("span", { title: by === "me" ? "the business" : by }, emoji)))]),
    ...(message.revoked ? [] : [more]));
  return box;
}

/** Drawn messages by id, with what they were drawn from. */
const drawn = new Map();

/**
 * All messages, with a line for each day, in `thread`. What has not changed stays where it is, so that a voice note goes on
 * playing and an open menu stays open when the next message comes.
 */
export function drawAll(thread, messages, me, reply) {
  const parts = [];
  const kept = new Set();
  const part = (id, from, make) => {
    kept.add(id);
    if (drawn.get(id)?.from !== from) drawn.set(id, { from, element: make() });
    parts.push(drawn.get(id).element);
  };
  messages.forEach((message, at) => {
    const before = messages[at - 1];
    const today = day(message.at);
    if (!before || day(before.at) !== today) part(`day ${today}`, today, () => h("div", { class: "day" }, today));
    part(message.id, JSON.stringify([message, me, before?.at, before?.fromMe]), () => draw(message, me, before, reply));
  });
  for (const id of drawn.keys()) if (!kept.has(id)) drawn.delete(id);
  place(thread, parts);
}

/** Makes `parts` the children of `parent`, and moves only those that are not in place. */
function place(parent, parts) {
  let there = parent.firstChild;
  for (const part of parts) {
    if (part === there) there = there.nextSibling;
    else parent.insertBefore(part, there);
  }
  while (there) {
    const next = there.nextSibling;
    there.remove();
    there = next;
  }
}
