import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { Conversation, Message } from "~/api/types";
import { problem } from "../../../tests/fake/answer";
import { ago, instance, media, message } from "../../../tests/fake/data";
import { FakeSocket, house, socket, visit } from "../../../tests/house";
import { asChosen, attach } from "./Attachments";
import { inOneLine } from "./kinds";
import { denseRows, pictures } from "./settings";

const texts = () => screen.getAllByTestId("message").map((one) => one.querySelector("article")?.textContent ?? "");
const rows = () =>
  screen.getAllByTestId("conversation-row").map((row) => row.querySelector("span.truncate")?.textContent);

describe("the thread", () => {
  it("shows messages in the order of their ids, also when an older one arrives late", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    if (!lerato) throw new Error();
    const late = message(lerato, { id: "msg_01b", body: "second", createdAt: ago(9) });
    server.messages.push(message(lerato, { id: "msg_01a", body: "first", createdAt: ago(10) }));
    server.messages.push(message(lerato, { id: "msg_01c", body: "third", createdAt: ago(8) }));
    visit(`/chat/${lerato.id}`, server);
    await screen.findByText("third");
    await waitFor(() => expect(socket().readyState).toBe(1));
    act(() => void server.emit("message.received", { message: late.id, conversation: lerato.id }, { message: late }));
    await screen.findByText("second");
    expect(texts().map((text) => text.slice(0, 5))).toEqual(["first", "secon", "third"]);
  });

  it("shows the same message once, however often the stream tells of it", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    if (!lerato) throw new Error();
    visit(`/chat/${lerato.id}`, server);
    await screen.findByTestId("composer");
    await waitFor(() => expect(socket().readyState).toBe(1));
    const said = server.say(lerato, { body: "Is it still to let?" });
    await screen.findByText("Is it still to let?", { selector: "article *, article" });
    act(() => void server.emit("message.received", { message: said.id, conversation: lerato.id }, { message: said }));
    expect(screen.getAllByTestId("message")).toHaveLength(1);
  });

  it("moves the ticks as the gateway tells, with their words", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    if (!lerato) throw new Error();
    const { user } = visit(`/chat/${lerato.id}`, server);
    await user.type(await screen.findByTestId("composer"), "Good day{Enter}");
    await waitFor(() => expect(screen.getByTestId("message").dataset.id).toMatch(/^msg_/));
    const id = server.messages[0]?.id ?? "";
    const tick = () => within(screen.getByTestId("message")).getByTestId("tick").getAttribute("aria-label");
    expect(tick()).toBe("queued");
    for (const state of ["sending", "sent", "delivered"] as const) {
      act(() => server.move(id, state));
      await waitFor(() => expect(tick()).toBe(state));
    }
    act(() => server.move(id, "read", { readAt: "2026-11-20T12:02:00.000Z" }));
    await waitFor(() => expect(tick()).toMatch(/^read \d\d:02$/));
    // The row of the list shows the same.
    await waitFor(() =>
      expect(within(screen.getByTestId("conversation-row")).getByTestId("tick").dataset.state).toBe("read"),
    );
  });

  it("shows a basket with its sum, what can be pressed, what was, and what was passed on", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    if (!lerato) throw new Error();
    const tea = { id: "7", name: "Rooibos", quantity: 2, price: 45.5, currency: "ZAR" };
    server.messages.push(
      message(lerato, { kind: "order", body: null, content: { items: [tea, { ...tea, name: "Rusks", quantity: 1 }] } }),
      message(lerato, {
        kind: "buttons",
        body: "Does Saturday suit you?",
        direction: "outbound",
        content: {
          buttons: [
            { id: "y", title: "Yes" },
            { id: "n", title: "Another day" },
          ],
        },
      }),
      message(lerato, { kind: "buttonReply", body: "Another day", content: { id: "n" } }),
      message(lerato, { body: "Win a car!", content: { context: { forwarded: true, oftenForwarded: true } } }),
    );
    visit(`/chat/${lerato.id}`, server);
    await screen.findByText("Does Saturday suit you?");
    const [basket = "", asked = "", answered = "", passed = ""] = texts();
    expect(basket.replace(/\s/g, " ")).toMatch(/2 ×Rooibos.*91[.,]00.*Total.*136[.,]50/);
    expect(asked).toMatch(/Does Saturday suit you\?YesAnother day/);
    expect(answered).toMatch(/^Another day/);
    expect(passed).toMatch(/^Forwarded many timesWin a car!/);
  });

  it("names a message without words in the language of the page", () => {
    expect(inOneLine("voice", "Voice message")).toBe("Voice note");
    expect(inOneLine("image", "")).toBe("Photo");
    expect(inOneLine("text", "")).toBe("This message was deleted");
    expect(inOneLine("image", "The *gate*")).toBe("The gate");
    expect(inOneLine("text", "Photo")).toBe("Photo");
  });

  it("says what failed and why, and sends again when asked", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    if (!lerato) throw new Error();
    server.messages.push(
      message(lerato, {
        direction: "outbound",
        body: "The video",
        state: "failed",
        error: { code: "too-large", detail: "The video is over 16 MB." },
      }),
    );
    const { user } = visit(`/chat/${lerato.id}`, server);
    await screen.findByText("The video is over 16 MB.");
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(screen.getByTestId("message").dataset.state).toBe("queued"));
    expect(server.asked.some((one) => one.path.endsWith("/resend"))).toBe(true);
  });

  it("marks the first unread message and tells the server that it was seen", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    if (!lerato) throw new Error();
    server.say(lerato, { body: "one" });
    lerato.unreadCount = 0;
    server.say(lerato, { body: "two" });
    visit(`/chat/${lerato.id}`, server);
    const line = await screen.findByText("Unread", { selector: "[data-unread]" });
    expect(line.parentElement?.textContent).toContain("two");
    await waitFor(() => expect(lerato.unreadCount).toBe(0));
    expect(socket().said).toContainEqual({ kind: "read", conversation: lerato.id });
  });
});

describe("the list", () => {
  it("lifts a conversation that somebody writes in, and counts what is unread", async () => {
    const { server, talks } = house("Lerato Mokoena", "Mandla Nkosi");
    visit("/chat", server);
    await waitFor(() => expect(rows()).toEqual(["Lerato Mokoena", "Mandla Nkosi"]));
    await waitFor(() => expect(socket().readyState).toBe(1));
    act(() => void server.say(talks[1] as never, { body: "Is the shop open?" }));
    await waitFor(() => expect(rows()).toEqual(["Mandla Nkosi", "Lerato Mokoena"]));
    expect(
      within(screen.getAllByTestId("conversation-row")[0] as HTMLElement).getByText("1 unread message"),
    ).toBeTruthy();
  });

  it("keeps its rows still under the pointer, and says how many are new", async () => {
    const { server, talks } = house("Lerato Mokoena", "Mandla Nkosi");
    const { user } = visit("/chat", server);
    await waitFor(() => expect(rows()).toHaveLength(2));
    await waitFor(() => expect(socket().readyState).toBe(1));
    await user.hover(screen.getByTestId("conversation-scroller"));
    act(() => void server.say(talks[1] as never, { body: "Is the shop open?" }));
    const pill = await screen.findByTestId("new-pill");
    expect(pill.textContent).toBe("1 new");
    expect(rows()).toEqual(["Lerato Mokoena", "Mandla Nkosi"]);
    await user.click(pill);
    await waitFor(() => expect(rows()[0]).toBe("Mandla Nkosi"));
  });

  it("drops a resolved conversation, and brings it back by Undo", async () => {
    const { server, talks } = house("Lerato Mokoena", "Mandla Nkosi");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await user.click(await screen.findByTestId("resolve"));
    await waitFor(() => expect(rows()).toEqual(["Mandla Nkosi"]));
    await user.click(await screen.findByRole("button", { name: "Undo" }));
    await waitFor(() => expect(rows()).toHaveLength(2));
    expect(talks[0]?.state).toBe("open");
  });

  it("takes an assignment back that the server refuses, and says why", async () => {
    const { server, talks } = house("Lerato Mokoena");
    server.on("PATCH", /conversations/, problem(409, "taken", "Pieter was faster."));
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await user.click(await screen.findByTestId("assign"));
    await user.click(await screen.findByRole("menuitem", { name: /Assign to me/ }));
    await screen.findByText("Not changed. Pieter was faster.");
    expect(screen.getByTestId("assign").getAttribute("aria-label")).toBe("Assign: nobody has it yet");
  });

  it("shows a hundred thousand conversations with a handful of rows", async () => {
    const { server } = house("Lerato Mokoena");
    const [first] = server.conversations;
    server.conversations = Array.from(
      { length: 100_000 },
      (_, at) => ({ ...(first as never as object), id: `cnv_${String(at).padStart(6, "0")}` }) as never,
    );
    server.on("GET", "/api/conversations", () => ({ status: 200, body: { items: server.conversations, next: null } }));
    visit("/chat", server);
    // A hundred thousand of them as JSON take their time on a busy machine.
    const list = await screen.findByTestId("conversation-list", {}, { timeout: 12_000 });
    expect(list.style.height).toBe(`${100_000 * 72}px`);
    expect(screen.getAllByTestId("conversation-row").length).toBeLessThan(40);
  });

  it("has denser rows when somebody asks for them, on this device", async () => {
    const { server } = house("Lerato Mokoena", "Mandla Nkosi");
    const { user } = visit("/chat", server);
    const list = await screen.findByTestId("conversation-list");
    expect(list.style.height).toBe("144px");
    await user.click(screen.getByTestId("sort"));
    await user.click(await screen.findByRole("menuitemcheckbox", { name: "Dense list" }));
    await waitFor(() => expect(list.style.height).toBe("112px"));
    expect(localStorage.getItem("indaba.denseRows")).toBe("true");
    act(() => denseRows.set(false));
    await waitFor(() => expect(list.style.height).toBe("144px"));
  });

  it("opens a row's menu under a resting finger, and the row does not open with it", async () => {
    const { server } = house("Lerato Mokoena");
    visit("/chat", server);
    const row = await screen.findByTestId("conversation-row");
    fireEvent.pointerDown(row, { pointerType: "touch", isPrimary: true, clientX: 40, clientY: 40 });
    const menu = await screen.findByTestId("row-menu");
    fireEvent.pointerUp(row, { pointerType: "touch" });
    fireEvent.click(row);
    expect(location.pathname).toBe("/chat");
    await userEvent.click(within(menu).getByRole("menuitem", { name: "Resolve" }));
    await waitFor(() => expect(server.conversations[0]?.state).toBe("closed"));
  });

  it("takes a moving finger for scrolling", async () => {
    const { server } = house("Lerato Mokoena");
    visit("/chat", server);
    const row = await screen.findByTestId("conversation-row");
    fireEvent.pointerDown(row, { pointerType: "touch", isPrimary: true, clientX: 40, clientY: 40 });
    fireEvent.pointerMove(row, { pointerType: "touch", clientX: 40, clientY: 70 });
    await new Promise((done) => setTimeout(done, 600));
    expect(screen.queryByTestId("row-menu")).toBeNull();
  });

  it("says what will make messages appear when there is no number", async () => {
    const { server } = house();
    server.instances = [];
    visit("/chat", server);
    expect(await screen.findByText("No number yet")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Link a number" }).getAttribute("href")).toBe("/instances?add=1");
  });

  it("explains a list that did not load, with the request's id, and tries again", async () => {
    const { server } = house("Lerato Mokoena");
    let broken = true;
    server.on("GET", "/api/conversations", () => (broken ? problem(422, "broken", "The index is away.") : undefined));
    const { user } = visit("/chat", server);
    expect((await screen.findByTestId("failed")).textContent).toContain("The index is away. Request req_01test.");
    broken = false;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByText("Lerato Mokoena");
  });
});

describe("the composer", () => {
  it("sends with Enter and breaks with Shift+Enter", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await user.type(await screen.findByTestId("composer"), "one{Shift>}{Enter}{/Shift}two");
    expect(server.messages).toHaveLength(0);
    await user.keyboard("{Enter}");
    await waitFor(() => expect(server.messages[0]?.body).toBe("one\ntwo"));
    expect((screen.getByTestId("composer") as HTMLTextAreaElement).value).toBe("");
  });

  it("shows what was sent at once, and once only when the server's word comes", async () => {
    const { server, talks } = house("Lerato Mokoena");
    let answer = () => {};
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByTestId("composer");
    server.rules.unshift(async (asked) => {
      if (asked.method === "POST" && asked.path.endsWith("/messages"))
        await new Promise<void>((done) => {
          answer = done;
        });
      return undefined;
    });
    await user.type(screen.getByTestId("composer"), "Good day{Enter}");
    const bubble = await screen.findByTestId("message");
    expect(bubble.dataset.id).toMatch(/^tmp_/);
    await act(async () => answer());
    await waitFor(() => expect(screen.getByTestId("message").dataset.id).toMatch(/^msg_/));
    // It is the same element: nothing blinks, and a reader keeps their place.
    expect(screen.getByTestId("message")).toBe(bubble);
  });

  it("keeps what was sent without a connection, and sends it once when there is one", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByTestId("composer");
    await waitFor(() => expect(socket().readyState).toBe(1));
    FakeSocket.down = true;
    await user.type(screen.getByTestId("composer"), "From the tunnel{Enter}");
    await waitFor(() => expect(localStorage.length).toBeGreaterThan(0));
    act(() => socket().cut());
    expect((await screen.findByTestId("connection-banner", {}, { timeout: 5000 })).textContent).toContain(
      "1 message waits to be sent.",
    );
    FakeSocket.down = false;
    await user.click(screen.getByRole("button", { name: "Now" }));
    await waitFor(() => expect(server.messages.map((one) => one.body)).toEqual(["From the tunnel"]));
    const keys = new Set(
      server.asked
        .filter((one) => one.path.endsWith("/messages") && one.method === "POST")
        .map((one) => one.headers.get("idempotency-key")),
    );
    expect(keys.size).toBe(1);
    await waitFor(() => expect(screen.getAllByTestId("message")).toHaveLength(1));
    expect(Object.keys(localStorage).some((name) => name.includes("outbox"))).toBe(false);
  });

  it("says why the server refused, and gives the words back to edit", async () => {
    const { server, talks } = house("Lerato Mokoena");
    server.on("POST", /messages$/, problem(409, "outside-window", "Send a template instead."));
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await user.type(await screen.findByTestId("composer"), "Too late{Enter}");
    const trouble = await screen.findByTestId("trouble");
    expect(trouble.textContent).toContain("Send a template instead.");
    await user.click(within(trouble).getByRole("button", { name: "More" }));
    await user.click(await screen.findByRole("menuitem", { name: "Edit and send" }));
    expect((screen.getByTestId("composer") as HTMLTextAreaElement).value).toBe("Too late");
    expect(screen.queryByTestId("message")).toBeNull();
  });

  it("keeps a draft for each conversation, and shows it in the list", async () => {
    const { server, talks } = house("Lerato Mokoena", "Mandla Nkosi");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await user.type(await screen.findByTestId("composer"), "Morning Lerato");
    await user.click(screen.getByText("Mandla Nkosi"));
    await waitFor(() => expect((screen.getByTestId("composer") as HTMLTextAreaElement).value).toBe(""));
    expect(screen.getByText("Draft:").parentElement?.textContent).toBe("Draft:Morning Lerato");
    await user.click(screen.getByText("Lerato Mokoena"));
    await waitFor(() => expect((screen.getByTestId("composer") as HTMLTextAreaElement).value).toBe("Morning Lerato"));
  });

  it("counts near the limit, and does not send beyond it", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    const field = await screen.findByTestId("composer");
    await user.click(field);
    await user.paste("x".repeat(4097));
    expect(screen.getByText("1 character too many")).toBeTruthy();
    expect((screen.getByTestId("composer-send") as HTMLButtonElement).disabled).toBe(true);
  });

  it("sends files in order, the words as the caption of the first", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await user.type(await screen.findByTestId("composer"), "The house");
    await user.upload(screen.getByTestId("file-input"), [
      new File(["1"], "a.png", { type: "image/png" }),
      new File(["2"], "plan.pdf", { type: "application/pdf" }),
    ]);
    await screen.findByTestId("tray");
    await user.click(screen.getByTestId("composer-send"));
    await waitFor(() =>
      expect(server.messages.map((one) => [one.kind, one.body])).toEqual([
        ["image", "The house"],
        ["document", null],
      ]),
    );
  });

  it("sends a picture light or as it is, as the person chooses", async () => {
    const heavy = new File([new Uint8Array(6_000_000)], "gate.png", { type: "image/png" });
    vi.stubGlobal("createImageBitmap", async () => ({ width: 4000, height: 3000, close: () => undefined }));
    HTMLCanvasElement.prototype.getContext = () => ({ fillRect: () => undefined, drawImage: () => undefined }) as never;
    HTMLCanvasElement.prototype.toBlob = (done) => done(new Blob([new Uint8Array(240_000)], { type: "image/jpeg" }));
    const { files } = await attach([heavy]);
    const [one] = files;
    if (!one) throw new Error();
    expect(asChosen(one, "standard").file).toMatchObject({ name: "gate.jpg", size: 240_000 });
    expect(asChosen(one, "standard").kind).toBe("image");
    // Too heavy for a photo: every byte goes, as a document.
    expect(asChosen(one, "original")).toMatchObject({ file: heavy, kind: "document" });
    const film = new File([new Uint8Array(17e6)], "tour.mp4", { type: "video/mp4" });
    expect(await attach([film])).toMatchObject({ files: [{ kind: "document" }], problem: undefined });

    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByTestId("composer");
    await user.upload(screen.getByTestId("file-input"), [heavy]);
    const size = within(await screen.findByTestId("picture-size"));
    expect(size.getByRole("radio", { name: "Standard, 240 kB" }).getAttribute("aria-checked")).toBe("true");
    await user.click(size.getByRole("radio", { name: "Original, 6 MB" }));
    expect(size.getByText(/Goes as a document/)).toBeTruthy();
    await user.click(screen.getByTestId("composer-send"));
    await waitFor(() => expect(server.messages.map((each) => each.kind)).toEqual(["document"]));
    act(() => pictures.set("standard"));
  });

  it("keeps what is typed while a picture is made light", async () => {
    let give = () => {};
    vi.stubGlobal("createImageBitmap", () => new Promise((_, fail) => (give = () => fail(new Error("no picture")))));
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    const field = await screen.findByTestId("composer");
    await user.type(field, "The ");
    const gate = new File([new Uint8Array(400_000)], "gate.png", { type: "image/png" });
    await user.upload(screen.getByTestId("file-input"), [gate]);
    await user.type(field, "gate");
    act(() => give());
    await screen.findByTestId("tray");
    expect((field as HTMLTextAreaElement).value).toBe("The gate");
    await user.click(screen.getByTestId("composer-send"));
    await waitFor(() => expect(server.messages.map((one) => [one.kind, one.body])).toEqual([["image", "The gate"]]));
  });

  it("is not offered to those who may only read", async () => {
    const { server, talks } = house("Lerato Mokoena");
    if (server.session) server.session.role = "viewer";
    visit(`/chat/${talks[0]?.id}`, server);
    expect((await screen.findByTestId("composer-closed")).textContent).toContain("role agent");
    expect(screen.queryByTestId("resolve")).toBeNull();
  });
});

describe("the stream", () => {
  it("asks for what it missed after a break, and shows it without gaps or doubles", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    if (!lerato) throw new Error();
    const { user } = visit(`/chat/${lerato.id}`, server);
    await screen.findByTestId("composer");
    await waitFor(() => expect(socket().readyState).toBe(1));
    act(() => void server.say(lerato, { body: "before" }));
    await screen.findByText("before", { selector: "article *, article" });
    const seq = server.seq;
    FakeSocket.down = true;
    act(() => socket().cut());
    server.say(lerato, { body: "missed one" });
    server.say(lerato, { body: "missed two" });
    await screen.findByTestId("connection-banner", {}, { timeout: 5000 });
    FakeSocket.down = false;
    await user.click(screen.getByRole("button", { name: "Now" }));
    await screen.findByText("missed two", { selector: "article *, article" });
    expect(socket().url.searchParams.get("after")).toBe(String(seq));
    expect(texts().map((text) => text.replace(/\d\d:\d\d$/, ""))).toEqual(["before", "missed one", "missed two"]);
    expect(await screen.findByText("Back online.")).toBeTruthy();
  });

  it("reads everything again when it is told that too much was missed", async () => {
    const { server, talks } = house("Lerato Mokoena");
    visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByTestId("composer");
    await waitFor(() => expect(socket().readyState).toBe(1));
    server.messages.push(message(talks[0] as never, { body: "silently there" }));
    act(() => socket().onmessage?.({ data: JSON.stringify({ kind: "reset", seq: 900 }) }));
    await screen.findByText("silently there", { selector: "article *, article" });
  });

  it("does not lose an event that came while an older answer was on its way", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    if (!lerato) throw new Error();
    let let_go = () => {};
    const { client } = visit("/chat", server);
    await screen.findByText("Lerato Mokoena");
    await waitFor(() => expect(socket().readyState).toBe(1));
    // The list is asked for; its answer is made now but arrives after the next message.
    const old = structuredClone(server.conversations);
    server.on("GET", "/api/conversations", () => ({ status: 200, body: { items: old, next: null } }));
    server.rules.unshift(async (asked) => {
      if (asked.path === "/api/conversations")
        await new Promise<void>((done) => {
          let_go = done;
        });
      return undefined;
    });
    void client.invalidateQueries({ queryKey: ["conversations", "list"] });
    await waitFor(() => expect(let_go.toString()).not.toBe("() => {}"));
    act(() => void server.say(lerato, { body: "in between" }));
    await act(async () => let_go());
    await waitFor(() => expect(client.isFetching()).toBe(0));
    expect(screen.getByText("in between")).toBeTruthy();
  });
});

describe("pictures that were sent one after the other", () => {
  const photos = (talk: Conversation, parts: Partial<Message>[]) =>
    parts.map((part, at) =>
      message(talk, {
        id: `msg_01${at}`,
        kind: "image",
        body: null,
        media: media(),
        createdAt: new Date(Date.parse("2026-11-20T10:00:00Z") + at * 20_000).toISOString(),
        ...part,
      }),
    );

  it("are one grid that opens at the one that was clicked, and goes on from there", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks as [Conversation];
    server.messages.push(...photos(lerato, [{}, {}, {}, { kind: "video" }, {}, {}]));
    const { user } = visit(`/chat/${lerato.id}`, server);
    const album = await screen.findByTestId("album");
    expect(album.getAttribute("aria-label")).toMatch(/^6 photos and videos, Lerato Mokoena, /);
    const tiles = within(album).getAllByTestId("message");
    expect(tiles).toHaveLength(4);
    expect(tiles[3]?.textContent).toContain("+2");
    await user.click(within(album).getByRole("button", { name: "Open: Photo, 2 of 6" }));
    expect(await screen.findByRole("dialog", { name: "Picture 2 of 6" })).toBeTruthy();
    await user.keyboard("{ArrowRight}{ArrowRight}");
    const dialog = await screen.findByRole("dialog", { name: "Picture 4 of 6" });
    expect(dialog.querySelector("video")).toBeTruthy();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  });

  it("are reacted to and answered where they are large, those behind the number, too", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks as [Conversation];
    const sent = photos(lerato, [{}, {}, {}, {}, {}]);
    server.messages.push(...sent);
    const { user } = visit(`/chat/${lerato.id}`, server);
    await user.click(within(await screen.findByTestId("album")).getByText("+1"));
    await screen.findByRole("dialog", { name: "Picture 4 of 5" });
    await user.keyboard("{ArrowRight}");
    (await screen.findByTestId("lightbox-menu")).focus();
    await user.keyboard("{Enter}");
    await user.click(await screen.findByRole("menuitem", { name: "React with 👍" }));
    // The grid falls apart under it: what has a reaction stands alone.
    await waitFor(() => expect(screen.getByTestId("lightbox-state").textContent).toMatch(/ 👍$/));
    expect(screen.getByRole("dialog", { name: "Picture 5 of 5" })).toBeTruthy();
    await user.click(screen.getByTestId("lightbox-menu"));
    await user.click(await screen.findByRole("menuitem", { name: "Reply" }));
    expect(await screen.findByTestId("replying")).toBeTruthy();
    expect(screen.queryByRole("dialog")).toBeNull();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("composer")));
    await user.keyboard("The last one{Enter}");
    await waitFor(() => expect(server.messages.at(-1)?.replyTo).toBe(sent.at(-1)?.id));
  });

  it("keep each its own state, and say which of them failed", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks as [Conversation];
    const ours: Partial<Message> = { direction: "outbound", author: { kind: "user", id: "usr_1", name: "Naledi" } };
    server.messages.push(
      ...photos(lerato, [
        { ...ours, state: "read" },
        { ...ours, state: "failed", error: { code: "not-on-whatsapp", detail: "Not on WhatsApp." } },
        { ...ours, state: "delivered" },
      ]),
    );
    const { user } = visit(`/chat/${lerato.id}`, server);
    const album = await screen.findByTestId("album");
    expect(
      within(album)
        .getAllByTestId("tick")
        .map((tick) => tick.dataset.state),
    ).toEqual(["read", "failed", "delivered"]);
    expect((await screen.findByTestId("trouble")).parentElement?.textContent).toMatch(/^2 of 3/);
    await user.click(within(album).getByRole("button", { name: "Open: Photo, 3 of 3" }));
    expect((await screen.findByTestId("lightbox-state")).textContent).toMatch(/ · delivered$/);
  });

  it("stay apart when one has words, when an answer lies between, or when time passed", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks as [Conversation];
    server.messages.push(
      ...photos(lerato, [
        {},
        { body: "The kitchen" },
        {},
        { kind: "text", body: "And?", media: null },
        {},
        { createdAt: "2026-11-20T10:05:00Z" },
      ]),
    );
    visit(`/chat/${lerato.id}`, server);
    await screen.findByText("The kitchen");
    expect(screen.queryByTestId("album")).toBeNull();
    expect(screen.getAllByTestId("message")).toHaveLength(6);
  });
});

describe("the head of a conversation", () => {
  it("counts down where free text has an end, and says which of our numbers it is on", async () => {
    const { server, talks } = house("Lerato Mokoena", "Thabo Nkosi");
    const [lerato, thabo] = talks;
    if (!lerato || !thabo) throw new Error();
    const rentals = instance({ name: "Rentals", capabilities: { window24h: true } });
    server.instances.push(rentals);
    const windowEndsAt = new Date(Date.now() + 3_600_000).toISOString();
    Object.assign(lerato, { windowEndsAt });
    Object.assign(thabo, { windowEndsAt, instanceId: rentals.id, instance: { ...thabo.instance, name: "Rentals" } });
    const { user } = visit(`/chat/${lerato.id}`, server);
    await waitFor(() => expect(screen.getByTestId("thread-number").textContent).toBe("Sales line"));
    expect(screen.queryByTestId("window-timer")).toBeNull();
    await user.click(screen.getByText("Thabo Nkosi"));
    await screen.findByTestId("window-timer");
    expect(screen.getByTestId("thread-number").textContent).toBe("Rentals");
  });

  it("shows who has it; only what goes out of sight is said, with a way back", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByTestId("composer");
    await user.keyboard("i");
    await waitFor(() => expect(screen.getByTestId("assign").textContent).toBe("You"));
    await user.click(screen.getByTestId("resolve"));
    await screen.findByText("Resolved Lerato Mokoena");
    expect(screen.queryByText(/is assigned/)).toBeNull();
    expect(screen.getAllByText("Undo")).toHaveLength(1);
  });

  it("tells who can link it again that a number is down, everybody else that what they send waits", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const down = () => screen.queryByTestId("number-banner")?.textContent ?? "";
    const [number] = server.instances;
    if (!number || !server.session) throw new Error();
    number.state = "paused";
    visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByTestId("composer");
    expect(down()).toBe("");
    const tell = () => server.emit("instance.state", { instance: number.id }, { instance: { ...number } });
    number.state = "disconnected";
    act(() => void tell());
    await waitFor(() => expect(down()).toContain("Sales line is not connected."));
    expect(screen.getByRole("link", { name: "Link again" }).getAttribute("href")).toBe(`/instances?link=${number.id}`);
    cleanup();
    server.session = { ...server.session, role: "agent" };
    visit(`/chat/${talks[0]?.id}`, server);
    await waitFor(() => expect(down()).toContain("What you send waits"));
    expect(screen.queryByRole("link", { name: "Link again" })).toBeNull();
  });
});

it("a message that was found is gone to, however far up it stands", async () => {
  const { server, talks } = house("Lerato Mokoena");
  const [lerato] = talks;
  if (!lerato) throw new Error();
  const far = message(lerato, { body: "the geyser drips", createdAt: ago(9000) });
  server.messages.push(far);
  for (let at = 0; at < 60; at += 1) server.messages.push(message(lerato, { body: `later ${at}` }));
  const scrolled: (string | null)[] = [];
  const scroll = vi.spyOn(HTMLElement.prototype, "scrollIntoView").mockImplementation(function (this: Element) {
    scrolled.push(this.getAttribute("data-id"));
  });
  const { user } = visit("/chat", server);
  await user.type(await screen.findByTestId("search"), "geyser");
  await user.click(await screen.findByTestId("search-hit"));
  await waitFor(() => expect(scrolled).toContain(far.id), { timeout: 10_000 });
  expect(location.hash).toBe(`#${far.id}`);
  scroll.mockRestore();
});

it("the contact beside a conversation hears of its messages, and is written to by the whole number", async () => {
  const { server, talks } = house("Lerato Mokoena");
  const [lerato] = talks;
  const [who] = server.contacts;
  if (!lerato || !who) throw new Error();
  who.name = lerato.contact.name = null;
  who.lastMessageAt = ago(3000);
  visit(`/chat/${lerato.id}`, server);
  expect((await screen.findByTestId("composer")).getAttribute("placeholder")).toBe("Write to +27 82 000 0000");
  const last = async () => (await screen.findByText("Last message")).nextElementSibling?.textContent;
  const before = await last();
  await waitFor(() => expect(socket().readyState).toBe(1));
  act(() => void server.say(lerato, { body: "Hello", createdAt: new Date().toISOString() }));
  await waitFor(async () => expect(await last()).not.toBe(before));
});

describe("an inbox where nothing has happened yet", () => {
  it("says how the first message comes", async () => {
    const { server } = house();
    server.instances = [instance({ lastInboundAt: null, lastOutboundAt: null })];
    visit("/chat", server);
    expect(await screen.findByText("Write to +27 82 000 0001 from any phone to see it here.")).toBeTruthy();
    expect(screen.queryByText("Choose a conversation")).toBeNull();
  });
});
