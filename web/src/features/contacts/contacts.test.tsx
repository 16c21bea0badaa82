import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { house, visit } from "../../../tests/house";

describe("a contact", () => {
  it("that was archived is brought back as it was", async () => {
    const { server } = house("Lerato Mokoena");
    const of = server.contacts[0];
    if (of) of.status = "paused";
    const { user } = visit(`/contacts?contact=${of?.id}`, server);
    const pane = await screen.findByTestId("contact-pane");
    await user.selectOptions(await within(pane).findByLabelText("Status"), "Archived");
    await screen.findByText("Archived Lerato Mokoena");
    expect(of?.status).toBe("archived");
    await user.click(screen.getByRole("button", { name: "Undo" }));
    await waitFor(() => expect(of?.status).toBe("paused"));
  });
});
