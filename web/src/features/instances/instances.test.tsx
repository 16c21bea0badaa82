import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { Instance } from "~/api/types";
import { problem } from "../../../tests/fake/answer";
import { gateway, instance } from "../../../tests/fake/data";
import { house, socket, visit } from "../../../tests/house";
import { reasonOf } from "./state";

const step = () => screen.getByTestId("link-status").dataset.step;

describe("linking a number", () => {
  it("adds one on a hosted gateway with a name alone, and goes on to the code", async () => {
    const { server } = house();
    server.instances = [];
    server.gateways = [gateway()];
    const { user } = visit("/instances", server);
    await user.click((await screen.findAllByRole("button", { name: "Add number" }))[0] as HTMLElement);
    const dialog = await screen.findByTestId("add-dialog");
    await waitFor(() => expect(within(dialog).getByTestId("way-operator").getAttribute("aria-checked")).toBe("true"));
    await user.click(within(dialog).getByRole("button", { name: "Go on to the code" }));
    expect(await screen.findByText("Give the number a name.")).toBeTruthy();
    expect(document.activeElement).toBe(within(dialog).getByLabelText("Name"));
    await user.keyboard("Sales{Enter}");
    expect(await screen.findByTestId("qr-image")).toBeTruthy();
    expect(server.asked.find((one) => one.method === "POST" && one.path === "/api/instances")?.body).toEqual({
      name: "Sales",
    });
  });

  it("asks for address and key of an own gateway", async () => {
    const { server } = house();
    server.instances = [];
    const { user } = visit("/instances?add=1", server);
    const dialog = await screen.findByTestId("add-dialog");
    await user.type(within(dialog).getByLabelText("Name"), "Office");
    await user.type(within(dialog).getByLabelText("Address of the gateway"), "waha.example");
    await user.click(within(dialog).getByRole("button", { name: "Go on to the code" }));
    expect(await screen.findByText(/Enter a whole address/)).toBeTruthy();
    await user.clear(within(dialog).getByLabelText("Address of the gateway"));
    await user.type(within(dialog).getByLabelText("Address of the gateway"), "https://waha.example");
    await user.type(within(dialog).getByLabelText("API key"), "secret");
    await user.click(within(dialog).getByRole("button", { name: "Go on to the code" }));
    await screen.findByTestId("link-dialog");
    expect(server.asked.find((one) => one.method === "POST" && one.path === "/api/instances")?.body).toEqual({
      provider: "waha",
      name: "Office",
      settings: { url: "https://waha.example", apiKey: "secret" },
    });
  });

  it("counts down to the code's real end, says which attempt it is, and gets the next by itself", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 20 });
    const { server } = house();
    const line = instance({ state: "linking", linkStep: "scan", phone: null });
    server.instances = [line];
    let attempt = 0;
    server.on("GET", /\/qr$/, () => ({
      status: 200,
      body: {
        dataUrl: "data:image/png;base64,AAAA",
        expiresAt: new Date(Date.now() + 20_000).toISOString(),
        attempt: ++attempt,
        attempts: 6,
      },
    }));
    visit(`/instances?link=${line.id}`, server);
    expect((await screen.findByTestId("qr-attempt")).textContent).toBe("Code 1 of 6");
    expect(screen.getByTestId("qr-ring").getAttribute("aria-label")).toMatch(/^(20|19) seconds left$/);
    await act(async () => void (await vi.advanceTimersByTimeAsync(10_000)));
    expect(screen.getByTestId("qr-ring").getAttribute("aria-label")).toMatch(/^(10|9) seconds left$/);
    await act(async () => void (await vi.advanceTimersByTimeAsync(11_500)));
    await waitFor(() => expect(screen.getByTestId("qr-attempt").textContent).toBe("Code 2 of 6"));
  });

  it("follows the link live, from the scan to the number", async () => {
    const { server } = house();
    const line = instance({ state: "linking", linkStep: "scan", phone: null });
    server.instances = [line];
    visit(`/instances?link=${line.id}`, server);
    await screen.findByTestId("qr-image");
    await waitFor(() => expect(socket().readyState).toBe(1));
    const now = (patch: object) =>
      act(() => void server.emit("instance.state", { instance: line.id }, { instance: { id: line.id, ...patch } }));
    now({ linkStep: "linking" });
    await waitFor(() => expect(step()).toBe("linking"));
    expect(screen.queryByTestId("qr-image")).toBeNull();
    now({ linkStep: "syncing", sync: { state: "running", chats: 7, total: null } });
    expect(await screen.findByText("Reading the history, 7 chats so far")).toBeTruthy();
    now({ state: "connected", linkStep: null, phone: "+27820000042" });
    expect(await screen.findByText("Connected as +27 82 000 0042")).toBeTruthy();
  });

  it("offers a new code after the last attempt", async () => {
    const { server } = house();
    const line = instance({ state: "linking", linkStep: "expired", phone: null });
    server.instances = [line];
    server.on("POST", /start$/, { status: 200, body: line });
    const { user } = visit(`/instances?link=${line.id}`, server);
    const again = await screen.findByTestId("new-code");
    server.rules = [];
    await waitFor(() => expect((again as HTMLButtonElement).disabled).toBe(false));
    await user.click(again);
    expect(await screen.findByTestId("qr-image")).toBeTruthy();
  });

  it("says in its place that the gateway is gone, and tries again", async () => {
    const { server } = house();
    const line = instance({ state: "disconnected", linkStep: null });
    server.instances = [line];
    server.on("POST", /start$/, problem(503, "unavailable", "The gateway does not answer as it should."));
    const { user } = visit(`/instances?link=${line.id}`, server);
    const dialog = await screen.findByTestId("link-dialog");
    expect(
      await within(dialog).findByText("Its gateway does not answer. Messages wait; nothing is lost."),
    ).toBeTruthy();
    const gateways = within(dialog).getByRole("link", { name: "Look at the gateways" });
    expect(gateways.getAttribute("href")).toBe("/settings/gateways");
    expect(screen.queryByText(/^That did not work/)).toBeNull();
    server.rules = [];
    await user.click(within(dialog).getByRole("button", { name: "Try again" }));
    expect(await screen.findByTestId("qr-image")).toBeTruthy();
    expect(within(dialog).queryByRole("link", { name: "Look at the gateways" })).toBeNull();
  });

  it("says why a number that needs attention is not linked, with one action", async () => {
    const { server } = house();
    const line = instance({ state: "attention", linkStep: null, trouble: "passkeyConfirmation" });
    server.instances = [line];
    server.on("POST", /start$/, { status: 200, body: line });
    visit(`/instances?link=${line.id}`, server);
    const dialog = await screen.findByTestId("link-dialog");
    expect(await within(dialog).findByRole("button", { name: "Try again" })).toBeTruthy();
    expect(within(dialog).getByTestId("link-status").textContent).toContain("confirm a passkey");
    expect(within(dialog).queryByText("Preparing the code")).toBeNull();
  });

  it("gives a pairing code in fours, to copy", async () => {
    const { server } = house();
    const line = instance({ state: "linking", linkStep: "scan", phone: null });
    server.instances = [line];
    const { user } = visit(`/instances?link=${line.id}`, server);
    await user.click(await screen.findByRole("radio", { name: "Use a pairing code" }));
    await user.type(screen.getByLabelText("Number of the phone"), "+27 82 000 0011");
    await user.click(screen.getByRole("button", { name: "Get a code" }));
    expect((await screen.findByTestId("pairing-code")).textContent).toContain("ABCD-1234");
    expect(server.asked.find((one) => one.path.endsWith("pairing-code"))?.body).toEqual({ phone: "+27820000011" });
  });

  it("keeps the chosen way, tab and phone in the address", async () => {
    const { server } = house();
    const line = instance({ state: "linking", linkStep: "scan", phone: null });
    server.instances = [line];
    const { user, unmount } = visit("/instances?add=1&way=cloud", server);
    const add = await screen.findByTestId("add-dialog");
    expect(within(add).getByTestId("way-cloud").getAttribute("aria-checked")).toBe("true");
    await waitFor(() => expect(add.style.pointerEvents).toBe("auto"));
    await user.click(within(add).getByTestId("way-own"));
    expect(location.search).toBe("?add=1&way=own");
    unmount();

    const again = visit(`/instances?link=${line.id}&way=pairing&phone=iphone`, server);
    expect(await screen.findByLabelText("Number of the phone")).toBeTruthy();
    await again.user.click(screen.getByRole("radio", { name: "Scan a code" }));
    expect(screen.getByRole("tab", { name: "iPhone" }).getAttribute("aria-selected")).toBe("true");
    await again.user.click(screen.getByRole("tab", { name: "Android" }));
    expect(location.search).toBe(`?link=${line.id}`);
  });

  it("says what is wrong in words of the page's language; what only the gateway knows, in the gateway's", () => {
    const say = (trouble: Instance["trouble"], stateReason: string | null = "Said in English.") =>
      reasonOf(instance({ trouble, stateReason }));
    expect(say("tooManyDevices")).toContain("as many linked devices as it may");
    expect(say("loggedOut")).toContain("Nothing is lost");
    expect(say("refused")).toBe("Said in English.");
    expect(say("refused", null)).toContain("may not send just now");
    expect(reasonOf(instance())).toBeUndefined();
  });
});

describe("the page of the numbers", () => {
  it("asks each linked number's gateway once how it is, and says nothing when one does not answer", async () => {
    const { server } = house();
    const [gone, well] = [instance({ name: "Gone" }), instance({ name: "Well", state: "attention" })];
    server.instances = [gone, instance({ provider: "cloud", name: "Metas" }), well];
    const asked: string[] = [];
    server.on("POST", /sync-status$/, ({ path }) => {
      asked.push(path);
      return path.includes(gone.id)
        ? problem(502, "unavailable", "Nothing answers there.")
        : { status: 200, body: { ...well, state: "connected" } };
    });
    visit("/instances", server);
    const card = await screen.findByRole("article", { name: "Well" });
    await waitFor(() => expect(within(card).getByTestId("number-state").dataset.state).toBe("connected"));
    expect(asked).toEqual([gone, well].map(({ id }) => `/api/instances/${id}/sync-status`));
    expect(screen.queryByText(/Nothing answers there/)).toBeNull();
  });
});

describe("a number", () => {
  it("is deleted only when its name is typed", async () => {
    const { server } = house();
    const { user } = visit("/instances", server);
    await user.click(await screen.findByRole("button", { name: "More about Sales line" }));
    await user.click(await screen.findByRole("menuitem", { name: "Delete number" }));
    const dialog = await screen.findByTestId("confirm");
    const button = within(dialog).getByRole("button", { name: "Delete number" }) as HTMLButtonElement;
    expect(button.disabled).toBe(true);
    await user.type(within(dialog).getByLabelText("Type Sales line to go on"), "Sales line");
    await user.click(button);
    await waitFor(() => expect(server.instances).toHaveLength(0));
    expect(await screen.findByText("No number yet")).toBeTruthy();
  });

  it("says why something did not work", async () => {
    const { server } = house();
    server.on("POST", /sync-status$/, problem(503, "away", "The gateway is away."));
    const { user } = visit("/instances", server);
    await user.click(await screen.findByRole("button", { name: "Sync status" }));
    expect(await screen.findByText("That did not work. The gateway is away.")).toBeTruthy();
  });

  it("cannot be changed by those who may not", async () => {
    const { server } = house();
    if (server.session) server.session.role = "agent";
    visit("/instances", server);
    await screen.findByTestId("number-card");
    expect(screen.queryByRole("button", { name: "Add number" })).toBeNull();
    expect(screen.queryByRole("button", { name: /More about/ })).toBeNull();
  });
});

describe("a number that moves", () => {
  it("goes to a gateway with room, and on to the code", async () => {
    const { server } = house();
    server.gateways = [
      gateway(),
      gateway({ id: "gtw_full", name: "Full", instances: 20 }),
      gateway({ id: "gtw_mine", name: "Umhlanga", owner: "tenant", region: "Durban", instances: 1 }),
    ];
    const line = server.instances[0];
    const { user } = visit("/instances", server);
    const open = async () => {
      await user.click(await screen.findByRole("button", { name: "More about Sales line" }));
      await user.click(await screen.findByRole("menuitem", { name: "Move to another gateway" }));
      return screen.findByTestId("move-dialog");
    };
    const dialog = await open();
    const choices = within(dialog).getAllByRole("option");
    expect(choices.map((one) => one.textContent)).toEqual(["Umhlanga"]);
    expect(within(dialog).getByText("WAHA · 1 of 20 numbers · Durban")).toBeTruthy();
    expect(within(dialog).getByText("Now it is on Johannesburg 1.")).toBeTruthy();
    server.on("POST", /move$/, problem(502, "gateway-refused", "The gateway took no session."));
    await user.click(within(dialog).getByRole("button", { name: "Move and link" }));
    expect(await within(dialog).findByText("The gateway took no session.")).toBeTruthy();
    const to = { id: "gtw_mine", name: "Umhlanga", owner: "tenant" };
    server.on("POST", /move$/, ({ body }) => {
      expect(body).toEqual({ gatewayId: "gtw_mine" });
      const after = instance({ ...line, gateway: to, state: "linking", linkStep: "scan" });
      server.instances = [after];
      return { status: 200, body: after };
    });
    await user.click(within(dialog).getByRole("button", { name: "Move and link" }));
    expect(await screen.findByTestId("qr-image")).toBeTruthy();
    expect(screen.getByText("Umhlanga")).toBeTruthy();
  });

  it("is offered no move where there is no other gateway", async () => {
    const { server } = house();
    server.gateways = [gateway()];
    const { user } = visit("/instances", server);
    await user.click(await screen.findByRole("button", { name: "More about Sales line" }));
    await screen.findByRole("menuitem", { name: "Rename" });
    expect(screen.queryByRole("menuitem", { name: "Move to another gateway" })).toBeNull();
  });
});

describe("a number's card", () => {
  it("says that its gateway is gone, live, and asks it again", async () => {
    const { server } = house();
    const line = instance();
    server.instances = [line];
    const { user } = visit("/instances", server);
    const card = await screen.findByTestId("number-card");
    await waitFor(() => expect(socket().readyState).toBe(1));
    const patch = { id: line.id, state: "attention", trouble: "gatewayDown", stateReason: "Said in English." };
    act(() => void server.emit("instance.state", { instance: line.id }, { instance: patch }));
    expect(await within(card).findByText("Its gateway does not answer. Messages wait; nothing is lost.")).toBeTruthy();
    expect(within(card).getByRole("link", { name: "Look at the gateways" })).toBeTruthy();
    expect(within(card).queryByTestId("link")).toBeNull();
    await user.click(within(card).getByRole("button", { name: "Check again" }));
    await waitFor(() => expect(within(card).getByTestId("number-state").dataset.state).toBe("connected"));
    expect(within(card).queryByTestId("check-again")).toBeNull();
  });

  it("says what went out today, and how much of the day's new chats is used", async () => {
    const { server } = house();
    server.instances = [
      instance({ sentToday: 12, newChatsToday: 3, newChatsBudget: 50 }),
      instance({ provider: "cloud", name: "Front desk", newChatsBudget: null }),
    ];
    visit("/instances", server);
    const [linked, metas] = await screen.findAllByTestId("number-card");
    expect(within(linked as HTMLElement).getByTestId("sent-today").textContent).toBe("12");
    expect(within(linked as HTMLElement).getByTestId("new-chats").textContent).toBe("3 of 50");
    expect(within(metas as HTMLElement).queryByTestId("new-chats")).toBeNull();
  });

  it("tells what a number did, also when it is down", async () => {
    const { server } = house();
    server.instances = [
      instance({ state: "disconnected", trouble: "loggedOut", sentToday: 12 }),
      instance({ state: "new", phone: null, name: "Fresh" }),
    ];
    visit("/instances", server);
    const [down, fresh] = await screen.findAllByTestId("number-card");
    expect(within(down as HTMLElement).getByTestId("sent-today").textContent).toBe("12");
    expect(within(down as HTMLElement).getByText("Last message in")).toBeTruthy();
    expect(within(down as HTMLElement).getByText(/signed this link out/)).toBeTruthy();
    expect(within(fresh as HTMLElement).queryByTestId("sent-today")).toBeNull();
  });

  it("tells new chats that wait from a number that is paused", async () => {
    const { server } = house();
    const line = instance();
    server.instances = [line];
    visit("/instances", server);
    await screen.findByTestId("number-card");
    await waitFor(() => expect(socket().readyState).toBe(1));
    const until = new Date(Date.now() + 300_000).toISOString();
    const patch = { id: line.id, newChatsPausedUntil: until };
    act(() => void server.emit("instance.state", { instance: line.id }, { instance: patch }));
    expect((await screen.findByTestId("new-chats-paused")).textContent).toMatch(
      /^New chats paused until .+ Answers go\.$/,
    );
    expect(screen.getByTestId("number-state").dataset.state).toBe("connected");
  });
});
