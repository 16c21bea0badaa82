import { act, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { part } from "./part";
import { toast } from "./toast";

afterEach(() => void vi.restoreAllMocks());

it("closes a part that does not come, says so, and fetches it anew the next time", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const said = vi.spyOn(toast, "error").mockImplementation(() => undefined);
  const load = vi
    .fn(async () => ({ default: (_: { onClose: () => void }) => <p>The part</p> }))
    .mockRejectedValueOnce(new TypeError("Failed to fetch dynamically imported module"));
  const Part = part(load);
  const close = vi.fn();
  const page = (open: boolean) => (
    <>
      <p>The page</p>
      {open && <Part onClose={close} />}
    </>
  );
  const { rerender } = render(page(true));
  await vi.waitFor(() => expect(close).toHaveBeenCalledOnce());
  expect(screen.getByText("The page")).toBeTruthy();
  expect(said).toHaveBeenCalledOnce();
  rerender(page(false));
  await act(async () => rerender(page(true)));
  expect(await screen.findByText("The part")).toBeTruthy();
  expect(load).toHaveBeenCalledTimes(2);
});

it("says nothing of a part that nobody asked for", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const said = vi.spyOn(toast, "error").mockImplementation(() => undefined);
  const Part = part<object>(() => Promise.reject(new TypeError("Importing a module script failed.")), "silent");
  const breaks = vi.fn();
  render(<Part onBreak={breaks} />);
  await vi.waitFor(() => expect(breaks).toHaveBeenCalledOnce());
  expect(said).not.toHaveBeenCalled();
});
