import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { house, visit } from "../../../tests/house";

describe("the audit log's file", () => {
  it("holds what the page shows", async () => {
    const { server } = house();
    const { user } = visit("/settings/audit", server);
    const file = async () => (await screen.findByRole("link", { name: "Export CSV" })).getAttribute("href");
    expect(await file()).toBe("/api/audit/export");
    await user.type(screen.getByLabelText("Action"), "key & lock{Enter}");
    expect(await file()).toBe("/api/audit/export?action=key+%26+lock");
    await user.selectOptions(screen.getByLabelText("Who"), "Pieter Botha");
    expect(await file()).toBe(`/api/audit/export?actor=${server.users[1]?.id}&action=key+%26+lock`);
  });
});
