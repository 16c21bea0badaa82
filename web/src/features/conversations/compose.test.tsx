import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { message } from "../../../tests/fake/data";
import { house, socket, visit } from "../../../tests/house";

/** An open conversation with Lerato. */
async function talk(can?: Record<string, boolean>) {
  const { server, talks } = house("Lerato Mokoena", "Thabo Nkosi");
  const [lerato] = talks;
  if (!lerato) throw new Error();
  const number = server.instances.find((one) => one.id === lerato.instanceId);
  if (number && can) number.capabilities = { ...number.capabilities, ...can };
  const { user } = visit(`/chat/${lerato.id}`, server);
  await screen.findByTestId("composer");
  await waitFor(() => expect(socket().readyState).toBe(1));
  const attach = async (kind: string) => {
    await user.click(screen.getByTestId("attach"));
    return screen.findByTestId(`attach-${kind}`);
  };
  const open = async (kind: string, testId: string) => {
    await user.click(await attach(kind));
    const dialog = await screen.findByTestId(testId);
    // what lies below it is shut off first
    await waitFor(() => expect(dialog.style.pointerEvents).toBe("auto"));
    return within(dialog);
  };
  const sent = () => server.asked.filter((one) => one.path.endsWith("/messages") && one.method === "POST").at(-1)?.body;
  return { server, lerato, user, attach, open, sent };
}

it("a conversation that was begun is written in at once", async () => {
  const { user } = await talk();
  await user.click(screen.getByTestId("start"));
  await user.type(await screen.findByLabelText("Name or number"), "Thabo");
  await user.click(await screen.findByRole("button", { name: /^Thabo Nkosi/ }));
  await waitFor(() => expect(screen.getByTestId("thread-name").textContent).toBe("Thabo Nkosi"));
  await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("composer")));
});

describe("a poll", () => {
  it("grows as answers are written, and is asked", async () => {
    const { user, open, sent } = await talk();
    const dialog = await open("poll", "poll-dialog");
    await user.type(dialog.getByLabelText("Question"), "When can you come?");
    await user.type(dialog.getByLabelText("Answer 1"), "Morning{Enter}");
    expect(document.activeElement).toBe(dialog.getByLabelText("Answer 2"));
    await user.keyboard("Noon{Enter}Evening");
    expect(dialog.getByLabelText("Answer 4")).toBeTruthy();
    await user.click(dialog.getByRole("button", { name: "Leave out answer 2" }));
    await user.click(dialog.getByLabelText("More than one answer may be chosen"));
    await user.click(dialog.getByTestId("poll-send"));
    const poll = { question: "When can you come?", options: ["Morning", "Evening"], multiple: true };
    await waitFor(() => expect(sent()).toEqual({ kind: "poll", poll }));
    expect(screen.queryByTestId("poll-dialog")).toBeNull();
    expect(within(screen.getByTestId("message")).getByText("Poll, several answers")).toBeTruthy();
  });

  it("leaves the keys to the composer, sent or not", async () => {
    const { user, open } = await talk();
    const inComposer = () => waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("composer")));
    await open("poll", "poll-dialog");
    await user.keyboard("{Escape}");
    await inComposer();
    const dialog = await open("poll", "poll-dialog");
    await user.type(dialog.getByLabelText("Question"), "When?");
    await user.type(dialog.getByLabelText("Answer 1"), "Noon{Enter}Evening");
    await user.click(dialog.getByTestId("poll-send"));
    await inComposer();
  });

  it.each<[number, Record<string, boolean>]>([
    [10, {}],
    [12, { longPolls: true }],
  ])("has at most %i answers with %o", async (most, can) => {
    const { open } = await talk(can);
    const dialog = await open("poll", "poll-dialog");
    for (let at = 1; at <= most; at += 1)
      fireEvent.change(dialog.getByLabelText(`Answer ${at}`), { target: { value: `Slot ${at}` } });
    expect(dialog.queryByLabelText(`Answer ${most + 1}`)).toBeNull();
  });

  it("says what is wrong with it", async () => {
    const { user, open, sent } = await talk();
    const dialog = await open("poll", "poll-dialog");
    await user.click(dialog.getByTestId("poll-send"));
    await waitFor(() => expect(document.activeElement).toBe(dialog.getByLabelText("Question")));
    expect(dialog.getAllByRole("alert").map((one) => one.textContent)).toEqual([
      "Ask something.",
      "A poll has at least two answers.",
      "A poll has at least two answers.",
    ]);
    await user.type(dialog.getByLabelText("Question"), "When?");
    await user.type(dialog.getByLabelText("Answer 1"), "Noon");
    await user.type(dialog.getByLabelText("Answer 2"), " Noon ");
    expect(dialog.getByRole("alert").textContent).toBe("This answer is there already.");
    await user.click(dialog.getByTestId("poll-send"));
    expect(sent()).toBeUndefined();
  });

  it("shows its votes as they come, and who voted when asked", async () => {
    const { server, lerato, user } = await talk();
    const poll = { question: "When?", options: ["Morning", "Noon"], votes: [] as object[] };
    const asked = server.say(lerato, { kind: "poll", body: "When?", direction: "outbound", content: poll });
    expect((await screen.findByTestId("poll")).textContent).toContain("No votes yet");
    const vote = (direction: string, options: string[]) => ({ direction, options, at: "2026-11-20T12:02:00.000Z" });
    const counts = () => screen.getAllByTestId("poll-answer").map((one) => one.textContent);
    const votes = [vote("inbound", ["Noon"]), vote("outbound", ["Morning", "Noon"])];
    act(
      () =>
        void server.emit(
          "message.voted",
          { message: asked.id, conversation: lerato.id },
          { message: { id: asked.id, conversationId: lerato.id, content: { ...poll, votes } } },
        ),
    );
    await waitFor(() => expect(counts()).toEqual(["Morning1", "Noon2"]));
    await user.click(screen.getByTestId("poll-who"));
    expect(screen.getAllByTestId("poll-voter").map((one) => one.firstChild?.textContent)).toEqual([
      "Us, on the phone",
      "Lerato Mokoena",
      "Us, on the phone",
    ]);
  });

  it("goes as buttons where there are no polls, with one answer, and not at all where there are neither", async () => {
    const { user, attach, open } = await talk({ poll: false, buttons: true, location: false });
    const dialog = await open("poll", "poll-dialog");
    expect(dialog.getByText(/goes as buttons/)).toBeTruthy();
    expect(dialog.getByLabelText("More than one answer may be chosen")).toHaveProperty("disabled", true);
    await user.keyboard("{Escape}");
    const place = await attach("location");
    expect(place.getAttribute("aria-disabled")).toBe("true");
    expect(place.textContent).toContain("This number cannot send it");
  });
});

it("a place is read out of a link and sent", async () => {
  const { user, open, sent } = await talk();
  const dialog = await open("location", "location-dialog");
  const where = dialog.getByLabelText("Link to a map, or coordinates");
  await user.click(dialog.getByTestId("location-send"));
  expect(dialog.getByRole("alert").textContent).toBe("Say where it is.");
  await user.type(where, "https://maps.app.goo.gl/x1");
  expect(dialog.getByRole("alert").textContent).toMatch(/short link/);
  await user.clear(where);
  await user.type(where, "https://www.google.com/maps/place/The+flat/@-26.2041,28.0473,17z");
  expect(dialog.getByTestId("place-found").textContent).toContain("-26.20410, 28.04730");
  expect(dialog.getByLabelText("Name of the place")).toHaveProperty("value", "The flat");
  await user.type(dialog.getByLabelText("Address"), "1 Main Rd");
  await user.click(dialog.getByTestId("location-send"));
  const location = { latitude: -26.2041, longitude: 28.0473, name: "The flat", address: "1 Main Rd" };
  await waitFor(() => expect(sent()).toEqual({ kind: "location", location }));
});

it("cards of people we know and of others go out together", async () => {
  const { user, open, sent, server } = await talk();
  const dialog = await open("contacts", "card-dialog");
  await user.type(dialog.getByTestId("card-search"), "Thabo");
  await user.click(await dialog.findByText("Thabo Nkosi"));
  await user.click(dialog.getByTestId("card-other"));
  await user.type(dialog.getByLabelText("Name"), "Zoë Adams");
  await user.type(dialog.getByLabelText("Phone number"), "12");
  await user.click(dialog.getByTestId("card-send"));
  expect(dialog.getByRole("alert").textContent).toMatch(/not a whole number/);
  await user.clear(dialog.getByLabelText("Phone number"));
  await user.type(dialog.getByLabelText("Phone number"), "+27820000044");
  await user.click(dialog.getByTestId("card-send"));
  const thabo = server.contacts.find((one) => one.name === "Thabo Nkosi");
  const contacts = [{ contactId: thabo?.id }, { name: "Zoë Adams", phone: "+27820000044" }];
  await waitFor(() => expect(sent()).toEqual({ kind: "contacts", contacts }));
});

it("Enter in the search for a card chooses the first one found, and sends nothing", async () => {
  const { user, open, sent } = await talk();
  const dialog = await open("contacts", "card-dialog");
  const field = dialog.getByTestId("card-search");
  await user.type(field, "Thabo");
  await dialog.findByText("Thabo Nkosi");
  await user.keyboard("{Enter}");
  expect((await dialog.findByTestId("cards-chosen")).textContent).toContain("Thabo Nkosi");
  expect(field).toHaveProperty("value", "");
  // before its answer has come there is nothing to choose
  await user.keyboard("Lerato{Enter}{Enter}");
  expect(within(dialog.getByTestId("cards-chosen")).getAllByRole("listitem")).toHaveLength(1);
  expect(sent()).toBeUndefined();
  expect(screen.getByTestId("card-dialog")).toBeTruthy();
});

it.each([
  ["poll", "poll-dialog", "Question"],
  ["location", "location-dialog", "Address"],
  ["contacts", "card-dialog", "Name or number"],
])("what was typed into a %s is not thrown away unasked", async (kind, testId, label) => {
  const ask = vi.fn(() => false);
  vi.stubGlobal("confirm", ask);
  const { user, open } = await talk();
  const dialog = await open(kind, testId);
  await user.type(dialog.getByLabelText(label), "kept");
  await user.keyboard("{Escape}");
  expect(ask).toHaveBeenCalledTimes(1);
  expect(dialog.getByLabelText(label)).toHaveProperty("value", "kept");
  ask.mockReturnValue(true);
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByTestId(testId)).toBeNull());
});

it("a poll that another page of ours asked is not shown twice", async () => {
  const { server, lerato } = await talk();
  const said = message(lerato, {
    kind: "poll",
    body: "When?",
    direction: "outbound",
    content: { question: "When?", options: ["a", "b"] },
  });
  server.messages.push(said);
  act(() => void server.emit("message.queued", { message: said.id, conversation: lerato.id }, { message: said }));
  await waitFor(() => expect(screen.getAllByTestId("poll")).toHaveLength(1));
});

describe("a link", () => {
  const shown = {
    url: "https://evil.example/login",
    site: "Your bank",
    title: "<script>alert(1)</script>",
    description: "Sign in",
    picture: { id: "med_1", width: 640, height: 320 },
  };

  it("shows the page as text, where it really leads, and a picture of ours, as soon as that is known", async () => {
    const { server, lerato } = await talk();
    const said = server.say(lerato, { body: "See https://evil.example/login" });
    await screen.findByText(/See/, { selector: "article *" });
    expect(screen.queryByTestId("link-preview")).toBeNull();
    const ids = { message: said.id, conversation: lerato.id };
    const patch = { message: { id: said.id, conversationId: lerato.id, content: { preview: shown } } };
    act(() => void server.emit("message.previewed", ids, patch));
    const card = await screen.findByTestId("link-preview");
    expect(card.textContent).toBe("<script>alert(1)</script>Sign inevil.example");
    expect(card.getAttribute("href")).toBe(shown.url);
    expect(card.getAttribute("rel")).toBe("noopener noreferrer");
    expect(card.querySelector("img")?.getAttribute("src")).toBe("/api/media/med_1");
  });

  it("that is none is not shown", async () => {
    const { server, lerato } = await talk();
    for (const url of ["javascript:alert(1)", "//x", ""])
      server.say(lerato, { body: `odd ${url}`, content: { preview: { ...shown, url } } });
    await screen.findAllByText(/odd/, { selector: "article *" });
    expect(screen.queryByTestId("link-preview")).toBeNull();
  });
});
