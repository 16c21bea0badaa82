import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { house, visit } from "../../../tests/house";

describe("a key for a program", () => {
  async function page() {
    const { server } = house();
    server.on("POST", "/api/api-keys", { status: 201, body: { id: "key_2", name: "Shop", key: "ik_secret" } });
    const { user } = visit("/settings/api-keys", server);
    await user.type(await screen.findByLabelText("What it is for"), "Shop");
    const make = () => user.click(screen.getByRole("button", { name: "Make key" }));
    const sent = () => server.asked.find((one) => one.method === "POST" && one.path === "/api/api-keys")?.body;
    return { server, user, make, sent };
  }

  it("may do all that its role may, if nothing else is said", async () => {
    const { make, sent } = await page();
    await make();
    expect((await screen.findByTestId("api-key")).textContent).toBe("ik_secret");
    expect(sent()).toMatchObject({ name: "Shop", scopes: [] });
  });

  it("reaches only the parts that are opened to it, and never all of them by mistake", async () => {
    const { user, make, sent } = await page();
    await user.selectOptions(screen.getByLabelText("What it may reach"), "Only some parts");
    await make();
    expect(await screen.findByText("Open at least one part to it.")).toBeTruthy();
    expect(sent()).toBeUndefined();
    await user.selectOptions(screen.getByLabelText("/api/contacts"), "Read");
    await user.selectOptions(screen.getByLabelText("/api/messages"), "Read and change");
    await make();
    await screen.findByTestId("api-key");
    expect(sent()).toMatchObject({ scopes: ["contacts:read", "messages:write"] });
  });

  it("says in the list what it is restricted to", async () => {
    const { server } = house();
    const key = { id: "key_1", name: "n8n", role: "agent", prefix: "ik_7", createdAt: new Date().toISOString() };
    const items = [{ ...key, scopes: ["contacts:read", "messages"] }];
    server.on("GET", "/api/api-keys", { status: 200, body: { items, next: null } });
    visit("/settings/api-keys", server);
    expect(await screen.findByText("contacts:read, messages")).toBeTruthy();
  });
});
