import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Conversation } from "~/api/types";
import { problem } from "../../../tests/fake/answer";
import { ago, label } from "../../../tests/fake/data";
import { house, socket, visit } from "../../../tests/house";
import { matches, order } from "./filter";

const row = (name: string) =>
  screen.getAllByTestId("conversation-row").find((one) => one.textContent?.includes(name)) as HTMLElement;

describe("labels", () => {
  it("are put on with L and taken back with Undo, and stand in the row, the head and the pane", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const hot = label("Hot lead", "amber");
    server.labels.push(label("Buyer", "leaf"), hot);
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByTestId("composer");
    await user.keyboard("l");
    const choice = await screen.findByRole("menuitemcheckbox", { name: "Hot lead" });
    await user.click(choice);
    expect(within(row("Lerato")).getByText("Hot lead")).toBeTruthy();
    expect(within(screen.getByTestId("thread-labels")).getByText("Hot lead")).toBeTruthy();
    expect(within(screen.getByTestId("pane-labels")).getByText("Hot lead")).toBeTruthy();
    expect(screen.getByRole("menuitemcheckbox", { name: "Hot lead" }).getAttribute("aria-checked")).toBe("true");
    await waitFor(() => expect(server.conversations[0]?.labels).toEqual([hot.id]));
    await user.click(await screen.findByText("Undo"));
    await waitFor(() => expect(server.conversations[0]?.labels).toEqual([]));
    await waitFor(() => expect(within(row("Lerato")).queryByText("Hot lead")).toBeNull());
  });

  it("are all there after quick ticks, however slow the answers; a refusal takes back its own tick only", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [one, two, three] = ["One", "Two", "Three"].map((name) => label(name));
    if (!one || !two || !three || !talks[0]) throw new Error("three labels");
    server.labels.push(one, two, three);
    const path = `/api/conversations/${talks[0].id}/labels/`;
    const answers: (() => void)[] = [];
    server.rules.unshift(async (asked) => {
      if (asked.method !== "PUT" || !asked.path.startsWith(path)) return undefined;
      await new Promise<void>((go) => answers.push(go));
      return asked.path.endsWith(three.id) ? problem(409, "labels-full", "No third.") : undefined;
    });
    const { user } = visit(`/chat/${talks[0].id}`, server);
    await screen.findByTestId("composer");
    await user.keyboard("l");
    await user.click(await screen.findByRole("menuitemcheckbox", { name: "One" }));
    await user.click(screen.getByRole("menuitemcheckbox", { name: "Two" }));
    await waitFor(() => expect(answers).toHaveLength(1));
    answers[0]?.();
    await waitFor(() => expect(answers).toHaveLength(2));
    const ticked = (name: string) =>
      screen.getByRole("menuitemcheckbox", { name }).getAttribute("aria-checked") === "true";
    expect([ticked("One"), ticked("Two")]).toEqual([true, true]);
    answers[1]?.();
    await waitFor(() => expect(server.conversations[0]?.labels).toEqual([one.id, two.id]));
    await user.click(screen.getByRole("menuitemcheckbox", { name: "Three" }));
    await waitFor(() => expect(answers).toHaveLength(3));
    act(() => void server.say(server.conversations[0] as Conversation, { body: "Meanwhile" }));
    answers[2]?.();
    await screen.findByText(/No third/);
    await waitFor(() => expect([ticked("One"), ticked("Two"), ticked("Three")]).toEqual([true, true, false]));
    expect(row("Lerato").textContent).toContain("Meanwhile");
  });

  it("of two who tick at the same moment are all kept, also when one of them is refused", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [mine, theirs, off] = ["Mine", "Theirs", "Off"].map((name) => label(name));
    if (!mine || !theirs || !off || !talks[0]) throw new Error("three labels");
    server.labels.push(mine, theirs, off);
    talks[0].labels = [off.id];
    const answers: (() => void)[] = [];
    server.rules.unshift(async (asked) => {
      if (!asked.path.includes("/labels/")) return undefined;
      await new Promise<void>((go) => answers.push(go));
      return asked.method === "DELETE" ? problem(403, "forbidden", "Not that one.") : undefined;
    });
    const { user } = visit(`/chat/${talks[0].id}`, server);
    await screen.findByTestId("composer");
    await waitFor(() => expect(socket().readyState).toBe(1));
    await user.keyboard("l");
    await user.click(await screen.findByRole("menuitemcheckbox", { name: "Mine" }));
    await user.click(screen.getByRole("menuitemcheckbox", { name: "Off" }));
    const stored = server.conversations[0] as Conversation;
    stored.labels = [...stored.labels, theirs.id];
    act(() => void server.emit("conversation.labelled", { conversation: stored.id }, { conversation: stored }));
    await waitFor(() => expect(answers).toHaveLength(1));
    answers[0]?.();
    await waitFor(() => expect(answers).toHaveLength(2));
    answers[1]?.();
    await screen.findByText(/Not that one/);
    expect(server.conversations[0]?.labels).toEqual([off.id, theirs.id, mine.id]);
    const ticked = (name: string) =>
      screen.getByRole("menuitemcheckbox", { name }).getAttribute("aria-checked") === "true";
    await waitFor(() => expect([ticked("Mine"), ticked("Theirs"), ticked("Off")]).toEqual([true, true, true]));
  });

  it("are taken back with a word when the server refuses", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const buyer = label("Buyer", "leaf");
    server.labels.push(buyer);
    const path = `/api/conversations/${talks[0]?.id}/labels/${buyer.id}`;
    server.on("PUT", path, problem(404, "missing", "There is no such label."));
    const { user } = visit(`/chat/${talks[0]?.id}`, server);
    await screen.findByTestId("composer");
    await user.keyboard("l");
    await user.click(await screen.findByRole("menuitemcheckbox", { name: "Buyer" }));
    await screen.findByText(/There is no such label/);
    expect(within(row("Lerato")).queryByText("Buyer")).toBeNull();
  });

  it("show three in a row and count the rest; what is renamed or deleted elsewhere changes at once", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const all = ["One", "Two", "Three", "Four", "Five"].map((name) => label(name));
    server.labels.push(...all);
    if (talks[0]) talks[0].labels = all.map((one) => one.id);
    visit("/chat", server);
    await screen.findByText("Three");
    expect(row("Lerato").textContent).toContain("+2");
    expect(screen.queryByText("Four")).toBeNull();
    await waitFor(() => expect(socket().readyState).toBe(1));
    const [one, two] = all;
    act(() => void server.emit("label.updated", { label: one?.id ?? "" }, { label: { ...one, name: "Uno" } }));
    await screen.findByText("Uno");
    act(() => void server.emit("label.deleted", { label: two?.id ?? "" }, { label: { id: two?.id, removed: true } }));
    await screen.findByText("Four");
    expect(row("Lerato").textContent).toContain("+1");
  });

  it("filter the list, and the address keeps it", async () => {
    const { server, talks } = house("Lerato Mokoena", "Johan Pretorius");
    const hot = label("Hot lead", "amber");
    server.labels.push(hot);
    if (talks[0]) talks[0].labels = [hot.id];
    const { user } = visit("/chat", server);
    await screen.findByText("Johan Pretorius");
    await user.click(screen.getByRole("button", { name: "Filter" }));
    await user.click(await screen.findByRole("menuitemcheckbox", { name: "Hot lead" }));
    await waitFor(() => expect(screen.queryByText("Johan Pretorius")).toBeNull());
    expect(screen.getByText("Lerato Mokoena")).toBeTruthy();
    expect(server.asked.some((one) => one.query.get("label") === hot.id)).toBe(true);
    // it leaves the list when the label is taken off by somebody else
    await waitFor(() => expect(socket().readyState).toBe(1));
    const off = { ...structuredClone(talks[0]), labels: [] };
    act(() => void server.emit("conversation.labelled", { conversation: off.id ?? "" }, { conversation: off }));
    await screen.findByText(/Nothing in/);
    await user.click(screen.getByRole("button", { name: /clear|show all/i }));
    await screen.findByText("Johan Pretorius");
  });

  it("are made, renamed and deleted in the settings by managers; agents only read", async () => {
    const { server } = house("Lerato Mokoena");
    const { user, unmount } = visit("/settings/labels", server);
    await screen.findByText("No labels yet");
    await user.click(screen.getByTestId("label-save"));
    await screen.findByText("Give it a name.");
    await user.type(screen.getByTestId("label-name"), "Hot lead");
    await user.click(screen.getByRole("radio", { name: "Amber" }));
    await user.click(screen.getByTestId("label-save"));
    await within(await screen.findByTestId("labels")).findByText("Hot lead");
    expect(server.labels[0]?.colour).toBe("amber");
    await user.type(screen.getByTestId("label-name"), "hot LEAD");
    await user.click(screen.getByTestId("label-save"));
    await screen.findByText("There is a label of this name.");
    await user.click(screen.getByRole("button", { name: "Change Hot lead" }));
    const dialog = within(await screen.findByRole("dialog"));
    const field = dialog.getByTestId("label-name");
    await user.clear(field);
    await user.type(field, "Warm");
    await user.click(dialog.getByTestId("label-save"));
    await within(screen.getByTestId("labels")).findByText("Warm");
    await user.click(screen.getByRole("button", { name: "Delete Warm" }));
    await user.click(await screen.findByRole("button", { name: "Delete label" }));
    await screen.findByText("No labels yet");
    unmount();
    if (server.session) server.session.role = "agent";
    visit("/settings/labels", server);
    await screen.findByText(/Managers make/);
    expect(screen.queryByTestId("label-name")).toBeNull();
  });
});

describe("the order of the inbox", () => {
  it("puts who waits longest, or whose window closes soonest, before the newest of the others", () => {
    const { talks } = house("A", "B", "C", "D");
    const [a, b, c, d] = talks as [(typeof talks)[0], (typeof talks)[0], (typeof talks)[0], (typeof talks)[0]];
    const now = Date.now();
    const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString();
    Object.assign(a, { createdAt: ago(4), waitingSince: ago(10), windowEndsAt: at(60) });
    Object.assign(b, { createdAt: ago(3), waitingSince: ago(50), windowEndsAt: at(5) });
    Object.assign(c, { createdAt: ago(2), waitingSince: null, windowEndsAt: at(-5) });
    Object.assign(d, { createdAt: ago(1), waitingSince: null, windowEndsAt: null });
    expect([d, c, a, b].sort(order("waiting"))).toEqual([b, a, d, c]);
    expect([d, c, a, b].sort(order("window"))).toEqual([b, a, d, c]);
    expect(matches({ view: "all", sort: "newest", label: "lbl_x" }, a, "me", true)).toBe(false);
  });
});
