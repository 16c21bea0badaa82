import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { problem } from "../../../tests/fake/answer";
import { ago, message, note, pieter } from "../../../tests/fake/data";
import { house, socket, visit } from "../../../tests/house";
import { asked, completed, found, marked, mentioned } from "./mentions";

const thread = () =>
  [...screen.getByTestId("thread").querySelectorAll<HTMLElement>('[data-testid="note"],[data-testid="message"]')].map(
    (one) => `${one.dataset.testid} ${one.dataset.id}`,
  );

describe("notes", () => {
  it("are written with N, name a colleague with @, and never become a message", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await user.type(await screen.findByTestId("composer"), "half a reply");
    await user.keyboard("{Escape}n");
    const field = await screen.findByTestId("note-text");
    await waitFor(() => expect(document.activeElement).toBe(field));
    await user.type(field, "Ask @pie");
    const choices = within(await screen.findByRole("listbox", { name: "Colleagues" }));
    expect(choices.getByRole("option").textContent).toContain("Pieter Botha");
    await user.keyboard("{Enter}");
    expect((field as HTMLTextAreaElement).value).toBe("Ask @Pieter Botha ");
    await user.keyboard("about the garden{Enter}");
    const card = await screen.findByTestId("note");
    expect(card.textContent).toContain("only the team sees this");
    expect(card.querySelector("b")?.textContent).toBe("@Pieter Botha");
    expect(server.notes[0]).toMatchObject({ body: "Ask @Pieter Botha about the garden", mentions: [pieter.id] });
    expect(server.messages).toEqual([]);
    expect((field as HTMLTextAreaElement).value).toBe("");
    // the reply waits where it was
    await user.click(screen.getByTestId("tab-reply"));
    const reply = screen.getByTestId("composer") as HTMLTextAreaElement;
    expect(reply.value).toBe("half a reply");
    expect(document.activeElement).toBe(reply);
  });

  it("keep their draft apart from the reply's, and what the server refuses stays written", async () => {
    const { server, talks } = house("Lerato Mokoena", "Johan Pretorius");
    const [lerato] = talks;
    const { user } = visit(`/chat/${lerato?.id}`, server);
    const open = (name: string) => user.click(within(screen.getByTestId("conversation-list")).getByText(name));
    await screen.findByTestId("composer");
    await user.click(screen.getByTestId("tab-note"));
    await user.type(await screen.findByTestId("note-text"), "for us alone");
    await open("Johan Pretorius");
    await waitFor(() => expect(screen.queryByTestId("note-text")).toBeNull());
    expect((screen.getByTestId("composer") as HTMLTextAreaElement).value).toBe("");
    expect(screen.queryByText("for us alone")).toBeNull();
    await open("Lerato Mokoena");
    expect(((await screen.findByTestId("composer")) as HTMLTextAreaElement).value).toBe("");
    await user.click(screen.getByTestId("tab-note"));
    const field = (await screen.findByTestId("note-text")) as HTMLTextAreaElement;
    expect(field.value).toBe("for us alone");
    server.on("POST", `/api/conversations/${lerato?.id}/notes`, problem(503, "busy", "Try again in a moment."));
    await user.click(screen.getByTestId("note-add"));
    await screen.findByText("Try again in a moment.");
    expect(field.value).toBe("for us alone");
  });

  it("take every key from N on, and what is written while one is saved is the next one", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await user.click(await screen.findByTestId("composer"));
    await user.keyboard("{Escape}near the lane");
    const field = screen.getByTestId("note-text") as HTMLTextAreaElement;
    expect(field.value).toBe("ear the lane");
    let release = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    server.rules.unshift(({ method, path }) =>
      method === "POST" && path.endsWith("/notes") ? held.then(() => undefined) : undefined,
    );
    await user.keyboard("{Enter}");
    await user.keyboard(" and more");
    const elsewhere = screen.getByTestId("sort");
    elsewhere.focus();
    release();
    await screen.findByTestId("note");
    expect(server.notes.map((one) => one.body)).toEqual(["ear the lane"]);
    await waitFor(() => expect(field.value).toBe("and more"));
    expect(document.activeElement).toBe(elsewhere);
  });

  it("do not hide what is being recorded", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await user.click(await screen.findByTestId("record"));
    await user.keyboard("n");
    expect(screen.queryByTestId("note-text")).toBeNull();
  });

  it("are the same one when tried again", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByTestId("composer");
    await user.click(screen.getByTestId("tab-note"));
    const keys: (string | null)[] = [];
    server.on("POST", /notes$/, ({ headers }) =>
      keys.push(headers.get("Idempotency-Key")) === 1 ? problem(503, "busy", "Try again in a moment.") : undefined,
    );
    await user.keyboard("once{Enter}");
    await screen.findByText("Try again in a moment.");
    await user.click(screen.getByTestId("note-add"));
    await screen.findByTestId("note");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("note-text")));
    expect(keys[0]).toBeTruthy();
    expect(keys).toEqual([keys[0], keys[0]]);
  });

  it("stand in their place in time, come live and go live, and only their author or an admin may delete them", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    if (!lerato) throw new Error();
    if (server.session) server.session.role = "agent";
    const first = message(lerato, { createdAt: ago(9) });
    const mine = note(lerato, { createdAt: ago(8), body: "mine" });
    const second = message(lerato, { createdAt: ago(7) });
    server.messages.push(first, second);
    server.notes.push(mine);
    const { user } = visit(`/chat/${lerato.id}`, server);
    await screen.findByText("mine");
    const order = [`message ${first.id}`, `note ${mine.id}`, `message ${second.id}`];
    expect(thread()).toEqual(order);
    await waitFor(() => expect(socket().readyState).toBe(1));
    let theirs = mine;
    act(() => {
      theirs = server.note(lerato, { body: "theirs", author: { kind: "user", ...pieter } });
    });
    await screen.findByText("theirs");
    act(() => void server.emit("conversation.noted", { conversation: lerato.id }, { note: theirs }));
    expect(thread()).toEqual([...order, `note ${theirs.id}`]);
    expect(screen.getAllByRole("button", { name: "Delete this note" })).toHaveLength(1);
    await user.click(screen.getByRole("button", { name: "Delete this note" }));
    await user.click(await screen.findByRole("button", { name: "Delete note" }));
    await waitFor(() => expect(screen.queryByText("mine")).toBeNull());
    const gone = { id: theirs.id, conversationId: lerato.id, removed: true };
    act(() => void server.emit("note.deleted", { conversation: lerato.id }, { note: gone }));
    await waitFor(() => expect(screen.queryByText("theirs")).toBeNull());
    expect(thread()).toEqual([`message ${first.id}`, `message ${second.id}`]);
  });

  it("are not offered to those who may only read, who still see them", async () => {
    const { server, talks } = house("Lerato Mokoena");
    if (server.session) server.session.role = "viewer";
    if (talks[0]) server.notes.push(note(talks[0], { body: "seen", author: { kind: "user", ...pieter } }));
    visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByText("seen");
    expect(screen.queryByTestId("tab-note")).toBeNull();
    expect(screen.queryByRole("button", { name: "Delete this note" })).toBeNull();
  });
});

describe("mentions", () => {
  const team = [
    { id: "1", name: "Thandi" },
    { id: "2", name: "Thandi Nkosi" },
    { id: "3", name: "Zoë O’Brien (sales)" },
  ] as never as Parameters<typeof found>[0];

  it("are looked for behind an @ at the beginning of a word", () => {
    expect(asked("ask @th", 7)).toEqual({ words: "th", at: 4 });
    expect(asked("@", 1)).toEqual({ words: "", at: 0 });
    expect(asked("mail a@th", 9)).toBeUndefined();
    expect(asked("ask @th now", 11)).toBeUndefined();
    expect(found(team, "nk").map((one) => one.id)).toEqual(["2"]);
    expect(found(team, "th").map((one) => one.id)).toEqual(["1", "2"]);
    expect(completed("ask @nk now", 4, 7, "Thandi Nkosi")).toEqual({ text: "ask @Thandi Nkosi now", caret: 18 });
  });

  it("name the longest name that stands there, and no part of a word", () => {
    expect(mentioned("@Thandi Nkosi, look", team)).toEqual(["2"]);
    expect(mentioned("@Thandi and @Zoë O’Brien (sales)", team)).toEqual(["1", "3"]);
    expect(mentioned("@Thandiwe", team)).toEqual([]);
    expect(marked("to @Thandi!", ["Thandi"])).toEqual([
      { text: "to ", named: false },
      { text: "@Thandi", named: true },
      { text: "!", named: false },
    ]);
    expect(marked("plain", [])).toEqual([{ text: "plain", named: false }]);
  });
});
