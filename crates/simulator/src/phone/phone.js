// The phone page: which business, which customer, and the chat between them. It speaks to the control API alone.

import { $, base64, call, h, initials, number, say, when } from "/phone/page.js";
import { closeMenu, drawAll, preview } from "/phone/thread.js";
import { toggle } from "/phone/voice.js";

const wanted = new URLSearchParams(location.search);
const state = {
  numbers: [], customers: [], chats: [], messages: [],
  number: wanted.get("number"), customer: wanted.get("customer"), as: "customer", reply: null, typing: false,
};

const me = () => (state.as === "owner" ? "me" : state.customer);
const business = () => state.numbers.find((one) => one.phone === state.number);
const customer = () => state.customers.find((one) => one.phone === state.customer);

// ---- reading

async function loadSessions() {
  const { items } = await call("GET", "/sessions");
  const waiting = items.filter((session) => session.qr !== null);
  $("waiting").hidden = waiting.length === 0;
  $("waiting-list").replaceChildren(...waiting.map((session) =>
    h("li", { class: "waiting", "data-testid": "waiting-session", "data-session": session.name },
      h("button", { type: "button", class: "filled", "data-testid": "scan", "data-session": session.name, click: () => scan(session.name) },
        "Scan with this phone"),
      h("p", { class: "muted" }, `${session.name} · code ${session.attempt} of ${session.attempts}`
        + (session.pairingCode ? ` · pairing code ${session.pairingCode} for ${number(session.pairingPhone)}` : "")))));
}

async function loadPeople() {
  const [numbers, customers] = await Promise.all([call("GET", "/numbers"), call("GET", "/customers")]);
  state.numbers = numbers.items;
  state.customers = customers.items;
  if (!business()) state.number = (state.numbers.find((one) => one.sessions.length > 0) ?? state.numbers[0])?.phone ?? null;
  $("number").replaceChildren(...(state.numbers.length === 0 ? [h("option", { value: "" }, "No number yet")] : state.numbers.map((one) =>
    h("option", { value: one.phone, selected: one.phone === state.number }, `${one.name} (${number(one.phone)})`))));
  $("number").disabled = state.numbers.length === 0;
  const shop = business();
  $("number-state").textContent = !shop ? "Link a number in Indaba, then scan its code here."
    : shop.sessions.length > 0 ? `Linked as ${shop.sessions.join(", ")}` : "Not linked: what you write waits on this phone.";
  propose();
  await loadChats();
}

/** A number that no session has yet, until somebody types another. */
let proposed = true;
function propose() {
  if (!proposed) return;
  const names = ["Acacia Properties", "Baobab Rentals", "Protea Homes", "Marula Estates"];
  const at = [0, 1, 2, 3].find((n) => !state.numbers.some((one) => one.phone === `2782000${n + 1}000` && one.sessions.length > 0)) ?? 0;
  $("own-phone").value = `2782000${at + 1}000`;
  $("own-name").value = names[at];
}

async function loadChats() {
  state.chats = state.number && business() ? (await call("GET", `/numbers/${state.number}/chats`)).items : [];
  drawPeople();
  drawHead();
}

async function loadThread() {
  const asked = [state.number, state.customer];
  const items = state.number && state.customer && business()
    ? (await call("GET", `/numbers/${state.number}/chats/${state.customer}/messages`)).items : [];
  if (asked[0] !== state.number || asked[1] !== state.customer) return;
  state.messages = items;
  drawThread(true);
  opened();
}

/** The customer looks at the chat: the business sees that it was read. */
function opened() {
  const unread = state.messages.some((message) => message.fromMe && message.ack >= 0 && message.ack < 3);
  if (unread && state.as === "customer" && document.visibilityState === "visible" && document.body.dataset.screen === "chat") {
    call("POST", `/numbers/${state.number}/chats/${state.customer}/open`);
  }
}

// ---- drawing

function drawPeople() {
  const chats = new Map(state.chats.map((chat) => [chat.phone, chat]));
  const people = state.customers.map((person) => ({ person, chat: chats.get(person.phone) }))
    .sort((a, b) => (b.chat?.lastAt ?? 0) - (a.chat?.lastAt ?? 0) || a.person.name.localeCompare(b.person.name));
  $("people-empty").hidden = people.length > 0;
  $("people").replaceChildren(...people.map(({ person, chat }) => h("li", {},
    h("button", {
      type: "button", class: "person", "data-testid": "customer", "data-phone": person.phone,
      "aria-current": String(person.phone === state.customer), click: () => choose(person.phone),
    },
    h("span", { class: "face", "aria-hidden": "true" }, initials(person.name)),
    h("span", {}, h("span", { class: "name" }, person.name),
      h("span", { class: "last" }, chat?.lastMessage ? preview(chat.lastMessage) : number(person.phone))),
    chat?.lastMessage ? h("time", {}, when(chat.lastAt)) : null))));
}

function drawHead() {
  const [shop, person] = [business(), customer()];
  const other = state.as === "owner" ? person?.name : shop?.name;
  $("title").textContent = !person ? "No chat open" : (other ?? "No business yet");
  $("face").textContent = other && person ? initials(other) : "";
  $("subtitle").textContent = !person ? "" : state.typing ? "typing…"
    : state.as === "owner" ? `You are ${shop?.name ?? "the business"}` : `You are ${person.name}`;
  for (const who of ["customer", "owner"]) $(`as-${who}`).setAttribute("aria-checked", String(state.as === who));
  const ready = Boolean(shop && person);
  for (const id of ["text", "send", "record", "sample", "file"]) $(id).disabled = !ready;
}

/** Whether the end of the thread is in sight: then it stays there, also when a photo above takes its place. */
let low = true;
const toEnd = () => ($("thread").scrollTop = $("thread").scrollHeight);

function drawThread(jump) {
  const thread = $("thread");
  const hint = !business() ? "No business has linked its number yet." : !customer() ? "Choose a customer, or add one."
    : state.messages.length === 0 ? `Say hello to ${business().name}.` : null;
  if (hint) thread.replaceChildren(h("p", { class: "hint" }, hint));
  else drawAll(thread, state.messages, me(), reply);
  if (jump || low) toEnd();
}

function reply(message) {
  state.reply = message;
  $("replying").hidden = !message;
  if (message) {
    $("replying-text").textContent = `Replying to: ${preview(message)}`;
    $("text").focus();
  }
}

// ---- doing

async function scan(name) {
  await call("POST", `/sessions/${name}/scan`, { phone: $("own-phone").value, pushName: $("own-name").value || undefined });
  state.number = $("own-phone").value.replace(/\D/g, "");
  say("Linked. The business can be written to.");
  await Promise.all([loadSessions(), loadPeople()]);
  loadThread();
}

function choose(phone) {
  Object.assign(state, { customer: phone, typing: false });
  document.body.dataset.screen = "chat";
  reply(null);
  remember();
  drawPeople();
  drawHead();
  loadThread();
}

function remember() {
  const query = new URLSearchParams();
  if (state.number) query.set("number", state.number);
  if (state.customer) query.set("customer", state.customer);
  history.replaceState(null, "", `?${query}`);
}

async function send(message) {
  const from = me();
  const body = { from, ...(from === "me" ? { chat: state.customer } : {}), ...message };
  if (state.reply) body.replyTo = state.reply.id;
  reply(null);
  await call("POST", `/numbers/${state.number}/messages`, body);
}

const formOf = (type) => (type.startsWith("image/") && type !== "image/svg+xml" ? "image" : type === "video/mp4" ? "video" : type.startsWith("audio/") ? "audio" : "document");

// ---- wiring

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const body = $("text").value.trim();
  if (body === "") return;
  $("text").value = "";
  send({ body }).catch(() => ($("text").value = body));
});
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});
let lastTyping = 0;
$("text").addEventListener("input", () => {
  if (state.as !== "customer" || Date.now() - lastTyping < 3000) return;
  lastTyping = Date.now();
  call("POST", `/numbers/${state.number}/chats/${state.customer}/typing`, { state: "typing" });
});
$("file").addEventListener("change", async () => {
  const [file] = $("file").files;
  $("file").value = "";
  if (!file) return;
  if (file.size > 16 * 1024 * 1024) return say("That file is larger than 16 MB.");
  const caption = $("text").value.trim();
  $("text").value = "";
  const type = file.type || "application/octet-stream";
  await send({ kind: formOf(type), body: caption || undefined, file: { mimetype: type, filename: file.name, data: await base64(file) } });
});
$("record").addEventListener("click", async () => {
  const on = await toggle((file) => {
    $("record").setAttribute("aria-pressed", "false");
    send({ kind: "voice", file });
  });
  $("record").setAttribute("aria-pressed", String(on));
});
$("sample").addEventListener("click", async () => {
  const blob = await (await fetch("/phone/voice-note.ogg")).blob();
  await send({ kind: "voice", file: { mimetype: "audio/ogg; codecs=opus", data: await base64(blob) } });
});
$("thread").addEventListener("scroll", () => {
  const thread = $("thread");
  low = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
});
$("thread").addEventListener("load", () => low && toEnd(), true);
for (const id of ["own-phone", "own-name"]) $(id).addEventListener("input", () => (proposed = false));
$("replying-end").addEventListener("click", () => reply(null));
$("back").addEventListener("click", () => {
  document.body.dataset.screen = "home";
});
$("number").addEventListener("change", () => {
  state.number = $("number").value;
  remember();
  loadPeople().then(loadThread);
});
for (const who of ["customer", "owner"]) {
  $(`as-${who}`).addEventListener("click", () => {
    state.as = who;
    reply(null);
    drawHead();
    drawThread(true);
    opened();
  });
}
$("new-open").addEventListener("click", () => {
  const form = $("new-form");
  form.hidden = !form.hidden;
  $("new-open").setAttribute("aria-expanded", String(!form.hidden));
  if (!form.hidden) {
    $("new-phone").value = `2783${String(Math.floor(Math.random() * 1e7)).padStart(7, "0")}`;
    $("new-name").focus();
  }
});
$("new-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const made = await call("POST", "/customers", { phone: $("new-phone").value, name: $("new-name").value, shown: $("new-shown").value });
  $("new-form").hidden = true;
  $("new-form").reset();
  $("new-open").setAttribute("aria-expanded", "false");
  await loadPeople();
  choose(made.phone);
});
$("pair-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  await call("POST", "/pair", { code: $("pair-code").value, phone: $("own-phone").value, pushName: $("own-name").value || undefined });
  $("pair-code").value = "";
  await Promise.all([loadSessions(), loadPeople()]);
});
$("theme").addEventListener("click", () => {
  const dark = (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const theme = dark ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("phone-theme", theme);
});
document.addEventListener("visibilitychange", opened);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenu();
});

// ---- news

let people, sessions;
const soon = (timer, work) => {
  clearTimeout(timer);
  return setTimeout(work, 60);
};

function hear(news) {
  const here = news.number === state.number && (news.message ? news.chat === `${state.customer}@c.us` : false);
  switch (news.kind) {
    case "message": {
      if (news.number !== state.number) break;
      people = soon(people, state.customers.some((one) => `${one.phone}@c.us` === news.chat) ? loadChats : loadPeople);
      if (!here) break;
      const at = state.messages.findIndex((message) => message.id === news.message.id);
      if (at < 0) {
        state.messages.push(news.message);
        state.messages.sort((a, b) => a.at - b.at);
      } else state.messages[at] = news.message;
      if (news.message.fromMe) state.typing = false;
      drawThread(at < 0);
      drawHead();
      opened();
      break;
    }
    case "seen":
      if (news.chat === `${state.customer}@c.us`) loadThread();
      break;
    case "typing":
      if (news.number === state.number && news.chat === `${state.customer}@c.us` && state.as === "customer") {
        state.typing = news.state !== "paused";
        drawHead();
      }
      break;
    case "session":
      sessions = soon(sessions, loadSessions);
      people = soon(people, loadPeople);
      break;
    case "customer":
    case "group":
      people = soon(people, loadPeople);
      break;
    case "reset":
      everything();
      break;
  }
}

async function everything() {
  await Promise.all([loadSessions(), loadPeople()]);
  if (!customer()) state.customer = null;
  drawHead();
  await loadThread();
  document.body.dataset.live = "true";
}

const system = matchMedia("(prefers-color-scheme: dark)");
const chosen = localStorage.getItem("phone-theme");
if (chosen) document.documentElement.dataset.theme = chosen;
if (state.customer) document.body.dataset.screen = "chat";

// The stream first, so that nothing falls between reading and listening; each time it opens, all is read again.
const stream = new EventSource("/control/stream");
stream.onopen = everything;
stream.onmessage = (event) => hear(JSON.parse(event.data));
stream.onerror = () => {
  delete document.body.dataset.live;
};
