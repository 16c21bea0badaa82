import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { problem } from "../../../tests/fake/answer";
import { gateway } from "../../../tests/fake/data";
import { house, visit } from "../../../tests/house";

const mine = () =>
  gateway({
    id: "gtw_mine",
    name: "Umhlanga",
    kind: "waha",
    url: "https://waha.umhlanga.example",
    owner: "tenant",
    instances: 0,
    health: { state: "down", version: "2026.6.1", engine: null, detail: "nothing answers there", checkedAt: null },
  });

async function page(...all: ReturnType<typeof gateway>[]) {
  const { server } = house();
  server.gateways = all;
  const { user } = visit("/settings/gateways", server);
  await screen.findByRole("heading", { name: "Add a gateway" });
  const menu = async (name: string, item: string) => {
    await user.click(await screen.findByRole("button", { name: `More about ${name}` }));
    await user.click(await screen.findByRole("menuitem", { name: item }));
  };
  return { server, user, menu };
}

describe("the gateways", () => {
  it("say how each is, and whose it is", async () => {
    await page(gateway(), mine());
    expect(await screen.findByText("Does not answer")).toBeTruthy();
    expect(screen.getByText("nothing answers there")).toBeTruthy();
    expect(screen.getByText("Answers")).toBeTruthy();
    expect(screen.getByText("Operator's")).toBeTruthy();
    expect(screen.getByText(/3 of 20 numbers/)).toBeTruthy();
  });

  it("are added when they answer, and what is wrong stands at its field", async () => {
    const { server, user } = await page();
    expect(await screen.findByText("No gateway")).toBeTruthy();
    await user.selectOptions(screen.getByLabelText("What the gateway runs"), "Evolution");
    await user.type(screen.getByLabelText("Address of the gateway"), "https://evo.example");
    await user.type(screen.getByLabelText("API key"), "wrong");
    server.on(
      "POST",
      "/api/gateways",
      problem(422, "invalid", "wrong", [{ pointer: "/apiKey", detail: "The gateway does not take this key." }]),
    );
    await user.click(screen.getByRole("button", { name: "Check and add" }));
    expect(await screen.findByText("The gateway does not take this key.")).toBeTruthy();
    server.rules = [];
    await user.click(screen.getByRole("button", { name: "Check and add" }));
    expect(await screen.findByText("evo.example")).toBeTruthy();
    expect(server.asked.filter((one) => one.method === "POST" && one.path === "/api/gateways").at(-1)?.body).toEqual({
      kind: "evolution",
      url: "https://evo.example",
      apiKey: "wrong",
    });
  });

  it("are looked at, emptied and changed", async () => {
    const { server, user, menu } = await page(mine());
    await menu("Umhlanga", "Look now");
    expect(await screen.findByText("Answers")).toBeTruthy();
    await menu("Umhlanga", "Take no new numbers");
    expect(await screen.findByText("Being emptied")).toBeTruthy();
    await menu("Umhlanga", "Change");
    const dialog = await screen.findByTestId("edit-gateway");
    await user.clear(within(dialog).getByLabelText("Numbers it can carry"));
    await user.type(within(dialog).getByLabelText("Numbers it can carry"), "0");
    await user.click(within(dialog).getByRole("button", { name: "Save" }));
    expect(await screen.findByText("1 to 10,000.")).toBeTruthy();
    await user.type(within(dialog).getByLabelText("Numbers it can carry"), "{Backspace}15");
    await user.click(within(dialog).getByRole("button", { name: "Save" }));
    expect(await screen.findByText(/0 of 15 numbers/)).toBeTruthy();
    expect(server.asked.filter((one) => one.method === "PATCH").at(-1)?.body).toEqual({
      name: "Umhlanga",
      region: null,
      capacity: 15,
    });
  });

  it("tell what to set where one address serves all numbers", async () => {
    const { menu } = await page(mine());
    await menu("Umhlanga", "Set-up of shared hooks");
    expect((await screen.findByTestId("setup-url")).textContent).toContain("/api/webhooks/waha/");
  });

  it("are removed when they carry no number", async () => {
    const { server, user, menu } = await page(
      mine(),
      gateway({ ...mine(), id: "gtw_full", name: "Full", instances: 2 }),
    );
    await user.click(await screen.findByRole("button", { name: "More about Full" }));
    const remove = await screen.findByRole("menuitem", { name: "Remove" });
    expect(remove.getAttribute("aria-disabled")).toBe("true");
    await user.keyboard("{Escape}");
    await menu("Umhlanga", "Remove");
    await user.click(within(await screen.findByTestId("confirm")).getByRole("button", { name: "Remove" }));
    await waitFor(() => expect(server.gateways.map((one) => one.name)).toEqual(["Full"]));
  });

  it("say where they stand", async () => {
    const { server, user } = await page(gateway({ region: "Cape Town" }));
    expect(await screen.findByText(/· Cape Town/)).toBeTruthy();
    await user.type(screen.getByLabelText("Address of the gateway"), "https://waha.example");
    await user.type(screen.getByLabelText("API key"), "secret");
    await user.type(screen.getByLabelText("Region (optional)"), " Johannesburg ");
    await user.click(screen.getByRole("button", { name: "Check and add" }));
    await screen.findByText("waha.example");
    expect(server.asked.find((one) => one.method === "POST" && one.path === "/api/gateways")?.body).toMatchObject({
      region: "Johannesburg",
    });
  });

  it("of the operator are changed, emptied and removed by the operator", async () => {
    const { server } = house();
    if (server.session) server.session = { ...server.session, operator: true };
    server.gateways = [gateway({ instances: 0 })];
    const { user } = visit("/settings/gateways", server);
    await user.click(await screen.findByRole("button", { name: "More about Johannesburg 1" }));
    await screen.findByRole("menuitem", { name: "Change" });
    await screen.findByRole("menuitem", { name: "Remove" });
    await user.click(screen.getByRole("menuitem", { name: "Take no new numbers" }));
    expect(await screen.findByText("Being emptied")).toBeTruthy();
  });

  it("of the operator can only be looked at", async () => {
    const { user } = await page(gateway());
    await user.click(await screen.findByRole("button", { name: "More about Johannesburg 1" }));
    await screen.findByRole("menuitem", { name: "Look now" });
    expect(screen.queryByRole("menuitem", { name: "Remove" })).toBeNull();
  });
});
