import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { house, visit } from "../../tests/house";

/** What the browser asks, answered with no. */
function asks() {
  const ask = vi.fn(() => false);
  window.confirm = ask;
  return ask;
}

describe("what was typed and not saved", () => {
  it("is saved with Ctrl+S, and a window that holds it asks before it closes", async () => {
    const { server } = house();
    const { user } = visit("/instances", server);
    await user.click(await screen.findByRole("button", { name: "More about Sales line" }));
    await user.click(await screen.findByRole("menuitem", { name: "Rename" }));
    const dialog = await screen.findByTestId("rename-dialog");
    await user.clear(within(dialog).getByLabelText("Name"));
    await user.type(within(dialog).getByLabelText("Name"), "Front desk");
    const ask = asks();
    await user.keyboard("{Escape}");
    expect(ask).toHaveBeenCalledTimes(1);
    expect(screen.getByTestId("rename-dialog")).toBeTruthy();
    await user.keyboard("{Control>}s{/Control}");
    await waitFor(() => expect(server.instances[0]?.name).toBe("Front desk"));
    await waitFor(() => expect(screen.queryByTestId("rename-dialog")).toBeNull());
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it("is asked about before the way back closes its window", async () => {
    const { server } = house();
    const { user, router } = visit("/instances", server);
    await user.click(await screen.findByTestId("add-number"));
    const dialog = await screen.findByTestId("add-dialog");
    router.go(-1);
    await waitFor(() => expect(screen.queryByTestId("add-dialog")).toBeNull());
    await user.click(screen.getByTestId("add-number"));
    await user.type(within(await screen.findByTestId("add-dialog")).getByLabelText("Name"), "Sales");
    expect(dialog.isConnected).toBe(false);
    const ask = asks();
    router.go(-1);
    await waitFor(() => expect(ask).toHaveBeenCalledTimes(1));
    await waitFor(() => expect(location.search).toBe("?add=1"));
    expect((screen.getByLabelText("Name") as HTMLInputElement).value).toBe("Sales");
    ask.mockReturnValue(true);
    router.go(-1);
    await waitFor(() => expect(screen.queryByTestId("add-dialog")).toBeNull());
  });

  for (const [path, field] of [
    ["/settings/team", "Work e-mail"],
    ["/settings/api-keys", "What it is for"],
    ["/settings/gateways", "Name (optional)"],
    ["/settings/labels", "Name"],
  ] as const)
    it(`is asked about before ${path} is left`, async () => {
      const { server } = house();
      const { user, router } = visit(path, server);
      await user.type(await screen.findByLabelText(field), "half");
      const ask = asks();
      await user.click(screen.getByRole("link", { name: "Workspace" }));
      expect(ask).toHaveBeenCalledTimes(1);
      expect(router.location.pathname).toBe(path);
    });
});
