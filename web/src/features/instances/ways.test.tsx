import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { problem } from "../../../tests/fake/answer";
import { gateway, instance } from "../../../tests/fake/data";
import { house, visit } from "../../../tests/house";
import { randomWord, read } from "./paste";

const sent = (server: ReturnType<typeof house>["server"], method: string, path: string) =>
  server.asked.filter((one) => one.method === method && one.path === path).at(-1)?.body;

describe("a number of Meta's Cloud API", () => {
  async function form() {
    const { server } = house();
    server.instances = [];
    const { user } = visit("/instances?add=1", server);
    const dialog = await screen.findByTestId("add-dialog");
    // The page behind it takes no clicks, and a moment later the dialog does.
    await waitFor(() => expect(dialog.style.pointerEvents).toBe("auto"));
    await user.click(within(dialog).getByTestId("way-cloud"));
    const field = (name: string) => within(dialog).getByLabelText(name) as HTMLInputElement;
    const go = () => user.click(within(dialog).getByTestId("add-go"));
    return { server, user, dialog, field, go };
  }

  it("is connected with what Meta's pages show; the word for Meta is shown once", async () => {
    const { server, user, field, go } = await form();
    await user.type(field("Name"), "Sales");
    await user.type(field("Phone number ID"), " 106540352242922 ");
    await user.type(field("WhatsApp Business Account ID"), "102290129340398");
    await user.type(field("Access token"), "EAAsometoken");
    await user.type(field("App secret"), "0123456789abcdef0123456789abcdef");
    const word = field("Verify token").value;
    expect(word).toMatch(/^\w{32}$/);
    await go();
    const shown = await screen.findByTestId("connection-dialog");
    expect(sent(server, "POST", "/api/instances")).toEqual({
      provider: "cloud",
      name: "Sales",
      settings: {
        phoneNumberId: "106540352242922",
        wabaId: "102290129340398",
        accessToken: "EAAsometoken",
        appSecret: "0123456789abcdef0123456789abcdef",
        verifyToken: word,
      },
    });
    expect(within(shown).getByTestId("verify-token").textContent).toBe(word);
    expect(within(shown).getByTestId("callback-url").textContent).toContain("https://indaba.example/api/webhooks/");
    expect(within(shown).getByTestId("first-call").textContent).toContain("Waiting for Meta's first call");
    const steps = await within(shown).findByTestId("connection-steps");
    expect(steps.querySelector('[data-step="hooks"]')?.getAttribute("data-ok")).toBe("false");
    expect(location.search).not.toContain(word);
    expect(screen.queryByTestId("link-dialog")).toBeNull();
  });

  it("says beside each field what is missing, and what Meta found wrong", async () => {
    const { server, user, field, go } = await form();
    await go();
    expect(await screen.findByText("Meta's ID of the number is missing.")).toBeTruthy();
    expect(screen.getByText("Without a token Meta does not let us in.")).toBeTruthy();
    expect(document.activeElement).toBe(field("Name"));
    await user.type(field("Name"), "Sales");
    await user.type(field("Phone number ID"), "27820000001");
    await user.type(field("WhatsApp Business Account ID"), "1");
    await user.type(field("Access token"), "EAAsometoken");
    await user.type(field("App secret"), "0123456789abcdef");
    server.on(
      "POST",
      "/api/instances",
      problem(422, "invalid", "1 field is wrong.", [
        { pointer: "/settings/phoneNumberId", detail: "Meta knows no such number." },
      ]),
    );
    await go();
    expect(await screen.findByText("Meta knows no such number.")).toBeTruthy();
    await waitFor(() => expect(document.activeElement).toBe(field("Phone number ID")));
    expect(field("Phone number ID").getAttribute("aria-invalid")).toBe("true");
    expect(field("Access token").value).toBe("EAAsometoken");

    server.on("POST", "/api/instances", problem(409, "number-taken", "A phone number id can be used once."));
    await go();
    expect(await screen.findByText("A phone number id can be used once.")).toBeTruthy();
  });

  it("is read from a text that was copied at Meta", async () => {
    const { user, field } = await form();
    field("Phone number ID").focus();
    await user.paste(
      "Phone number ID: 106540352242922\nWhatsApp Business Account ID: 102290129340398\nApp ID 670843887433847",
    );
    expect(field("Phone number ID").value).toBe("106540352242922");
    expect(field("WhatsApp Business Account ID").value).toBe("102290129340398");
    expect(field("App ID (optional)").value).toBe("670843887433847");
    expect(await screen.findByText("3 fields were filled from what you pasted.")).toBeTruthy();
  });

  it("gets a new token where the old one has ended", async () => {
    const { server } = house();
    const cloud = { phoneNumberId: "1", wabaId: "2", appId: null };
    const why = "Meta does not take its access token any more. Enter a new one; what you send waits until then.";
    const line = instance({ provider: "cloud", cloud, state: "attention", trouble: "token" });
    server.instances = [line];
    const { user } = visit("/instances", server);
    expect(await screen.findByText(why)).toBeTruthy();
    expect(screen.queryByTestId("link")).toBeNull();
    await user.click(screen.getByTestId("connection"));
    const dialog = await screen.findByTestId("connection-dialog");
    await user.click(within(dialog).getByRole("button", { name: "Check and keep" }));
    expect(await screen.findByText("Enter a new token, a new secret, or the PIN.")).toBeTruthy();
    server.on(
      "PATCH",
      /instances/,
      problem(422, "invalid", "wrong", [{ pointer: "/settings/accessToken", detail: "The access token is wrong." }]),
    );
    await user.type(within(dialog).getByLabelText("New access token"), "EAAstillwrong");
    await user.click(within(dialog).getByRole("button", { name: "Check and keep" }));
    expect(await screen.findByText("The access token is wrong.")).toBeTruthy();
    window.confirm = () => false;
    await user.click(within(dialog).getByRole("button", { name: "Done" }));
    expect(screen.getByTestId("connection-dialog")).toBeTruthy();
    server.rules = [];
    await user.click(within(dialog).getByRole("button", { name: "Check and keep" }));
    expect(await screen.findByText("The new keys work.")).toBeTruthy();
    expect(sent(server, "PATCH", `/api/instances/${line.id}`)).toEqual({ settings: { accessToken: "EAAstillwrong" } });
  });
});

describe("what was copied at Meta", () => {
  it("is told apart by its labels; a value alone is left where it is", () => {
    expect(read("106540352242922")).toEqual({});
    expect(read("EAAG1234567890123456789012345678901234")).toEqual({});
    expect(read("WABA ID = 102290129340398")).toEqual({ wabaId: "102290129340398" });
    expect(read("App secret\n0123456789abcdef0123456789abcdef\nToken EAAG1234567890123456789012345678901234")).toEqual({
      appSecret: "0123456789abcdef0123456789abcdef",
      accessToken: "EAAG1234567890123456789012345678901234",
    });
  });

  it("needs a word that nobody guesses", () => {
    expect(randomWord()).toHaveLength(32);
    expect(randomWord()).not.toBe(randomWord());
  });
});

describe("a number on a gateway of one's own", () => {
  it("may be one that runs Evolution, or one that is known already", async () => {
    const { server } = house();
    server.gateways = [gateway({ id: "gtw_mine", name: "Umhlanga", kind: "evolution", owner: "tenant" })];
    const { user } = visit("/instances?add=1", server);
    const dialog = await screen.findByTestId("add-dialog");
    await user.type(within(dialog).getByLabelText("Name"), "Office");
    await user.click(within(dialog).getByRole("radio", { name: "Evolution" }));
    await user.type(within(dialog).getByLabelText("Address of the gateway"), "https://evo.example");
    await user.type(within(dialog).getByLabelText("API key"), "global");
    await user.click(within(dialog).getByTestId("add-go"));
    await screen.findByTestId("link-dialog");
    expect(sent(server, "POST", "/api/instances")).toEqual({
      provider: "evolution",
      name: "Office",
      settings: { url: "https://evo.example", apiKey: "global" },
    });
  });

  it("needs no address when the gateway is chosen from the list", async () => {
    const { server } = house();
    server.gateways = [gateway({ id: "gtw_mine", name: "Umhlanga", kind: "evolution", owner: "tenant" })];
    const { user } = visit("/instances?add=1", server);
    const dialog = await screen.findByTestId("add-dialog");
    await user.type(within(dialog).getByLabelText("Name"), "Office");
    await user.click(within(dialog).getByRole("radio", { name: "Evolution" }));
    await user.selectOptions(await within(dialog).findByLabelText("Gateway"), "Umhlanga");
    await user.click(within(dialog).getByTestId("add-go"));
    await screen.findByTestId("link-dialog");
    expect(sent(server, "POST", "/api/instances")).toEqual({
      provider: "evolution",
      name: "Office",
      gatewayId: "gtw_mine",
    });
  });
});

describe("the comparison of the ways", () => {
  it("says what stands in for a poll at Meta, and where groups stay", async () => {
    const { server } = house();
    visit("/instances?add=1", server);
    await screen.findByText("Polls");
    const row = (name: string) =>
      [...(screen.getByText(name).closest("tr")?.querySelectorAll("td") ?? [])].map((cell) => cell.textContent);
    expect(row("Polls")).toEqual(["Works", "Works", "Buttons or a list stand in: one answer is chosen"]);
    expect(row("Groups")).toEqual([
      "Stay on the phone, not shown here",
      "Stay on the phone, not shown here",
      "Not shown here",
    ]);
    expect(row("You need")[1]).toBe("A WAHA or Evolution server");
  });
});
