import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { media, quickReply } from "../../../tests/fake/data";
import { house, socket, visit } from "../../../tests/house";
import { search } from "./queries";

const replies = () => [
  quickReply({ shortcut: "bye", title: "Goodbye", body: "Bye!" }),
  quickReply(),
  quickReply({ shortcut: "price", title: "Prices", body: "Call us on {{number.phone}}, hello", scope: "me" }),
];

async function talk() {
  const { server, talks } = house("Lerato Mokoena");
  const [lerato] = talks;
  if (!lerato) throw new Error();
  server.quickReplies = replies();
  const { user } = visit(`/chat/${lerato.id}`, server);
  const composer = (await screen.findByTestId("composer")) as HTMLTextAreaElement;
  await waitFor(() => expect(socket().readyState).toBe(1));
  const sent = () => server.asked.filter((one) => one.path.endsWith("/messages") && one.method === "POST").at(-1)?.body;
  return { server, user, composer, sent };
}

/** The picker's file arrives when the test says so. */
const file = vi.hoisted(() => ({ here: Promise.resolve() }));
vi.mock("./Picker", async (real) => {
  await file.here;
  return real();
});

describe("the picker", () => {
  it("takes over what was typed while its file was on its way, and nothing of it goes out", async () => {
    let arrive = () => {};
    file.here = new Promise((done) => {
      arrive = done;
    });
    const { user, composer, sent } = await talk();
    await user.type(composer, "/hel{Enter}");
    expect(composer.value).toBe("/hel");
    expect(sent()).toBeUndefined();
    arrive();
    const picker = await screen.findByTestId("quick-replies");
    expect(composer.value).toBe("");
    expect(within(picker).getByRole("combobox")).toHaveProperty("value", "hel");
    await user.keyboard("lo{Enter}");
    expect(composer.value).toBe("Good day Lerato, Naledi here.");
  });

  it("hands back what was typed when something else is pressed", async () => {
    const { user, composer } = await talk();
    await user.type(composer, "/");
    await screen.findByTestId("quick-replies");
    await user.keyboard("or else");
    await user.click(screen.getByTestId("thread"));
    expect(screen.queryByTestId("quick-replies")).toBeNull();
    expect(composer.value).toBe("/or else");
  });

  it("opens with /, finds by shortcut first, fills in and counts", async () => {
    const { user, composer, sent, server } = await talk();
    await user.type(composer, "/");
    const picker = await screen.findByTestId("quick-replies");
    await within(picker).findByText("/bye");
    await user.keyboard("hel");
    const options = within(picker).getAllByRole("option");
    expect(options.map((one) => one.textContent)).toEqual(["/helloGreeting", "/pricePrices"]);
    expect(screen.getByTestId("quick-preview").textContent).toBe("Good day Lerato, Naledi here.");
    await user.keyboard("{ArrowDown}{ArrowUp}{Enter}");
    expect(screen.queryByTestId("quick-replies")).toBeNull();
    expect(composer.value).toBe("Good day Lerato, Naledi here.");
    await waitFor(() => expect(document.activeElement).toBe(composer));
    await user.keyboard(" Welcome.{Enter}");
    const body = "Good day Lerato, Naledi here. Welcome.";
    await waitFor(() => expect(sent()).toEqual({ kind: "text", body, quickReplyId: server.quickReplies[1]?.id }));
  });

  it("loses nothing of what was typed when it is left, and stays away inside a text", async () => {
    const { user, composer } = await talk();
    await user.type(composer, "/");
    await screen.findByTestId("quick-replies");
    await user.keyboard("xyz");
    expect(screen.getByRole("status", { name: "" }).textContent).toContain("xyz");
    await user.keyboard("{Escape}");
    expect(composer.value).toBe("/xyz");
    await user.clear(composer);
    await user.type(composer, "and/or");
    expect(screen.queryByTestId("quick-replies")).toBeNull();
    expect(composer.value).toBe("and/or");
  });

  it("is not counted when the words were thrown away", async () => {
    const { user, composer, sent } = await talk();
    await user.type(composer, "/");
    await user.click(await screen.findByText("/bye"));
    await user.clear(composer);
    await user.type(composer, "Something else{Enter}");
    await waitFor(() => expect(sent()).toEqual({ kind: "text", body: "Something else" }));
  });

  it("brings its file along without sending it up again", async () => {
    const { user, composer, sent, server } = await talk();
    const plan = { ...media(), kind: "document" as const, mime: "application/pdf", name: "plan.pdf" };
    server.quickReplies = [quickReply({ shortcut: "plan", body: "The plan, {{contact.first_name}}", media: plan })];
    // no answer ever comes, and none is needed
    server.rules.unshift(({ path }) => (path.startsWith("/api/media") ? new Promise(() => {}) : undefined));
    await user.type(composer, "/");
    await screen.findByText("/plan");
    await user.keyboard("{Enter} is below{Enter}{Enter}");
    const want = { kind: "document", body: "The plan, Lerato is below", mediaId: plan.id };
    await waitFor(() => expect(sent()).toMatchObject(want));
    expect(server.asked.filter((one) => one.path.endsWith("/messages") && one.method === "POST")).toHaveLength(1);
    expect(composer.value).toBe("");
    expect(screen.queryByTestId("tray")).toBeNull();
  });
});

describe("the page", () => {
  it("makes one, shows what it will say, and says when a shortcut is taken", async () => {
    const { server } = house("Lerato Mokoena", "Thabo Nkosi");
    server.quickReplies = replies();
    const { user } = visit("/settings/quick-replies", server);
    await user.click(await screen.findByTestId("reply-new"));
    const box = await screen.findByTestId("reply-dialog");
    await waitFor(() => expect(box.style.pointerEvents).toBe("auto"));
    const dialog = within(box);
    await user.click(dialog.getByRole("button", { name: "Save" }));
    expect(dialog.getAllByRole("alert").length).toBe(3);
    await user.type(dialog.getByLabelText("Shortcut"), "/Hello");
    await user.type(dialog.getByLabelText("Title"), "Welcome");
    await user.selectOptions(dialog.getByLabelText("For"), "all");
    await user.type(dialog.getByLabelText("Text"), "Dear ");
    const ask = vi.fn(() => false);
    vi.stubGlobal("confirm", ask);
    await user.keyboard("{Escape}");
    expect(ask).toHaveBeenCalledTimes(1);
    expect(dialog.getByLabelText("Title")).toHaveProperty("value", "Welcome");
    await user.click(dialog.getByRole("button", { name: "contact.first_name" }));
    expect(dialog.getByText(/Nothing is known for: contact.first_name/)).toBeTruthy();
    await user.selectOptions(dialog.getByTestId("reply-try"), "Thabo Nkosi");
    expect(dialog.getByTestId("reply-preview").textContent).toBe("Dear Thabo");
    await user.click(dialog.getByRole("button", { name: "Save" }));
    expect((await dialog.findByRole("alert")).textContent).toBe("This shortcut is taken. Choose another.");
    await user.clear(dialog.getByLabelText("Shortcut"));
    await user.type(dialog.getByLabelText("Shortcut"), "welcome");
    await user.click(dialog.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(screen.queryByTestId("reply-dialog")).toBeNull());
    await waitFor(() => expect(screen.getAllByTestId("reply-row")).toHaveLength(4));
  });

  it("lets agents change their own only, and asks before one goes", async () => {
    const { server } = house("Lerato Mokoena");
    server.quickReplies = replies();
    if (server.session) server.session.role = "agent";
    const { user } = visit("/settings/quick-replies", server);
    await screen.findByText("Prices");
    expect(screen.queryByRole("button", { name: "Change Greeting" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Delete Prices" }));
    const confirm = await screen.findByTestId("confirm");
    await waitFor(() => expect(confirm.style.pointerEvents).toBe("auto"));
    await user.click(within(confirm).getByRole("button", { name: "Delete" }));
    await waitFor(() => expect(screen.queryByText("Prices")).toBeNull());
  });

  it("says that there are none yet", async () => {
    const { server } = house();
    visit("/settings/quick-replies", server);
    expect((await screen.findByTestId("empty")).textContent).toContain("No quick replies yet");
  });
});

it("a shortcut that begins with the words comes first", () => {
  const all = [
    quickReply({ shortcut: "a", body: "about price" }),
    quickReply({ shortcut: "pricelist" }),
    quickReply({ shortcut: "price" }),
  ];
  expect(search(all, "/PRICE").map((one) => one.shortcut)).toEqual(["price", "pricelist", "a"]);
  expect(search(all, "")).toHaveLength(3);
});
