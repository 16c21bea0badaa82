import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { isQuiet } from "~/api/preferences";
import type { Preferences } from "~/api/types";
import { safeNext } from "~/app/AuthPage";
import { problem } from "../../../tests/fake/answer";
import { house, socket, visit } from "../../../tests/house";
import { strength } from "./rules";

function out() {
  const { server } = house("Lerato Mokoena");
  server.session = undefined;
  return server;
}

describe("the door", () => {
  it("sends a stranger to the sign-in, and back to where they wanted to go", async () => {
    const server = out();
    const { user } = visit("/contacts", server);
    await user.type(await screen.findByLabelText("Work e-mail"), "naledi@quivertree.example");
    await user.type(screen.getByLabelText("Password"), "long enough{Enter}");
    await screen.findByTestId("contact-scroller");
    expect(location.pathname).toBe("/contacts");
  });

  it("focuses the first field that is wrong, and says why in words", async () => {
    const server = out();
    const { user } = visit("/sign-in", server);
    await user.click(await screen.findByRole("button", { name: "Sign in" }));
    const field = screen.getByLabelText("Work e-mail");
    await waitFor(() => expect(field.getAttribute("aria-invalid")).toBe("true"));
    expect(document.activeElement).toBe(field);
    const note = document.getElementById(field.getAttribute("aria-describedby") ?? "");
    expect(note?.textContent).toBe("Enter an e-mail address.");
  });

  it("says only that the combination is wrong", async () => {
    const server = out();
    const { user } = visit("/sign-in", server);
    await user.type(await screen.findByLabelText("Work e-mail"), "naledi@quivertree.example");
    await user.type(screen.getByLabelText("Password"), "wrong-password{Enter}");
    expect((await screen.findByTestId("form-problem")).textContent).toBe(
      "This combination of e-mail and password is wrong.",
    );
    expect(screen.getByText(/^Forgotten\? Ask an admin of your workspace/)).toBeTruthy();
  });

  it("says how long a locked door stays locked", async () => {
    const server = out();
    server.on("POST", "/api/auth/sign-in", {
      ...problem(429, "limit", "Slow down."),
      headers: { "retry-after": "42" },
    });
    const { user } = visit("/sign-in", server);
    await user.type(await screen.findByLabelText("Work e-mail"), "naledi@quivertree.example");
    await user.type(screen.getByLabelText("Password"), "whatever{Enter}");
    expect((await screen.findByTestId("form-problem")).textContent).toBe("Too many attempts. Try again in 42 seconds.");
    expect((screen.getByRole("button", { name: "Sign in" }) as HTMLButtonElement).disabled).toBe(true);
  });

  it("puts the server's objections at their fields", async () => {
    const server = out();
    server.on(
      "POST",
      "/api/auth/sign-up",
      problem(422, "invalid", "Look again.", [{ pointer: "/password", detail: "This password was in a leak." }]),
    );
    const { user } = visit("/sign-up", server);
    await user.type(await screen.findByLabelText("Your name"), "Naledi");
    await user.type(screen.getByLabelText("Work e-mail"), "n@q.example");
    await user.type(screen.getByLabelText("Password"), "long enough");
    await user.type(screen.getByLabelText("Workspace name"), "Quiver{Enter}");
    expect(await screen.findByText("This password was in a leak.")).toBeTruthy();
    expect(document.activeElement).toBe(screen.getByLabelText("Password"));
  });

  it("signs up with country and time zone, into the inbox", async () => {
    const server = out();
    const { user } = visit("/sign-up", server);
    await user.type(await screen.findByLabelText("Your name"), "Naledi");
    await user.type(screen.getByLabelText("Work e-mail"), "n@q.example");
    await user.type(screen.getByLabelText("Password"), "three short words");
    await user.type(screen.getByLabelText("Workspace name"), "Quiver");
    await user.selectOptions(screen.getByLabelText("Country"), "ZA");
    await user.click(screen.getByRole("button", { name: "Make the workspace" }));
    await screen.findByTestId("inbox");
    const body = server.asked.find((one) => one.path === "/api/auth/sign-up")?.body;
    expect(body).toMatchObject({
      email: "n@q.example",
      tenantName: "Quiver",
      country: "ZA",
      timeZone: "Africa/Johannesburg",
    });
  });

  it("goes only to places of its own", () => {
    expect(safeNext("/contacts?q=a")).toBe("/contacts?q=a");
    for (const next of [null, "//evil.example", "https://evil.example", "/\\evil.example", "/sign-in"])
      expect(safeNext(next)).toBe("/chat");
  });

  it("says how good a password is", () => {
    expect(strength("short")).toBe("short");
    expect(strength("password1")).toBe("common");
    expect(strength("naledi-naledi", ["Naledi"])).toBe("weak");
    expect(strength("quiet river under stones")).toBe("strong");
  });
});

describe("a session that runs out", () => {
  it("is renewed once, whoever asks, and every question is answered", async () => {
    const { server } = house("Lerato Mokoena");
    let fresh = false;
    server.rules.unshift((asked) => {
      if (asked.path === "/api/auth/refresh") {
        fresh = true;
        return { status: 200, body: server.session };
      }
      return fresh ? undefined : problem(401, "expired", "The session ran out.");
    });
    visit("/chat", server);
    await screen.findByText("Lerato Mokoena");
    expect(server.asked.filter((one) => one.path === "/api/auth/refresh")).toHaveLength(1);
  });

  it("leads to the sign-in when it cannot be renewed", async () => {
    const { server } = house("Lerato Mokoena");
    visit("/chat", server);
    await screen.findByText("Lerato Mokoena");
    server.on("GET", "/api/contacts", problem(401, "expired", "The session ran out."));
    server.on("POST", "/api/auth/refresh", problem(401, "expired", "The session ran out."));
    screen.getByRole("link", { name: "Contacts" }).click();
    await screen.findByTestId("sign-in");
    expect(location.search).toContain("next=%2Fcontacts");
    expect(screen.getByText(/^Your session has ended\./)).toBeTruthy();
  });
});

it("the only admin is not offered to leave the workspace", async () => {
  const { server } = house();
  visit("/settings/team", server);
  await screen.findByRole("button", { name: "Remove Pieter Botha" });
  expect(screen.queryByRole("button", { name: "Remove Naledi Dube" })).toBeNull();
});

describe("a form with changes", () => {
  it("is not left without a question, and Ctrl+S saves it", async () => {
    const { server } = house();
    const { user } = visit("/settings/profile", server);
    const asked: string[] = [];
    vi.stubGlobal("confirm", (text: string) => {
      asked.push(text);
      return false;
    });
    window.confirm = globalThis.confirm;
    await user.type(await screen.findByLabelText("Your name"), " Jr");
    await user.click(screen.getByRole("link", { name: "Sign-ins" }));
    await waitFor(() => expect(asked).toEqual(["Leave without saving? What you changed here is lost."]));
    expect(location.pathname).toBe("/settings/profile");
    await user.keyboard("{Control>}s{/Control}");
    await waitFor(() =>
      expect(server.asked.find((one) => one.method === "PATCH" && one.path === "/api/me")?.body).toEqual({
        name: "Naledi Dube Jr",
      }),
    );
    await screen.findByText("Saved");
    await user.click(screen.getByRole("link", { name: "Sign-ins" }));
    await waitFor(() => expect(location.pathname).toBe("/settings/sign-ins"));
    expect(asked).toHaveLength(1);
  });
});

describe("availability", () => {
  it("is chosen in one's menu, and shown on one's face", async () => {
    const { server } = house();
    const { user } = visit("/contacts", server);
    const button = await screen.findByTestId("user-menu");
    await waitFor(() => expect(within(button).getByTestId("presence").dataset.away).toBe("false"));
    await user.click(button);
    await user.click(await screen.findByRole("menuitemcheckbox", { name: "Away" }));
    await waitFor(() => expect(within(button).getByTestId("presence").dataset.away).toBe("true"));
    expect(server.asked.find((one) => one.method === "PATCH")?.body).toEqual({ away: true });
  });

  it("of colleagues moves as the stream tells, and by itself when they do nothing", async () => {
    const { server } = house();
    visit("/settings/team", server);
    const row = (await screen.findByText("Pieter Botha")).closest("li") as HTMLElement;
    expect(within(row).getByText(/^Away · /)).toBeTruthy();
    const tell = (activeUntil: string) =>
      act(() => {
        const user = { id: server.users[1]?.id, availability: "available", activeUntil };
        for (const listener of server.listeners) listener({ kind: "user.availability", ids: {}, patch: { user } });
      });
    await waitFor(() => expect(socket().readyState).toBe(1));
    tell(new Date(Date.now() + 60_000).toISOString());
    await within(row).findByText(/^Available · /);
    tell(new Date(Date.now() - 1_000).toISOString());
    await within(row).findByText(/^Away · /);
  });
});

describe("notifications", () => {
  const preferences: Preferences = {
    availability: "available",
    activeUntil: null,
    away: false,
    idleMinutes: 15,
    alerts: "mine",
    quiet: true,
    quietFrom: "22:00",
    quietUntil: "07:00",
  };

  it("are for one's own, the team's or all conversations, and not at night", async () => {
    const { server } = house();
    const { user } = visit("/settings/notifications", server);
    const team = await screen.findByRole("radio", { name: "Mine, and those that are nobody’s" });
    expect((team as HTMLInputElement).checked).toBe(true);
    await user.click(screen.getByRole("radio", { name: "My conversations" }));
    await waitFor(() => expect(server.preferences.alerts).toBe("mine"));
    await user.click(screen.getByRole("switch", { name: "Do not disturb" }));
    const from = await screen.findByLabelText("From");
    fireEvent.change(from, { target: { value: "18:30" } });
    fireEvent.blur(from);
    await waitFor(() => expect(server.preferences.quietFrom).toBe("18:30"));
    expect(server.preferences.quiet).toBe(true);
  });

  it("ask for the browser's permission with the switch, not before", async () => {
    const asked = vi.fn(async () => "denied");
    vi.stubGlobal("Notification", { permission: "default", requestPermission: asked });
    const { server } = house();
    const { user } = visit("/settings/notifications", server);
    const desktop = await screen.findByRole("switch", { name: "Desktop alerts" });
    expect(asked).not.toHaveBeenCalled();
    await user.click(desktop);
    await screen.findByText(/^The browser has forbidden them/);
    expect(desktop.getAttribute("aria-checked")).toBe("false");
    expect((desktop as HTMLButtonElement).disabled).toBe(true);
  });

  it("are quiet over midnight and over noon", () => {
    const at = (time: string, from = "22:00", until = "07:00") =>
      isQuiet({ ...preferences, quietFrom: from, quietUntil: until }, new Date(`2026-11-20T${time}:00`));
    expect([at("21:59"), at("22:00"), at("03:00"), at("06:59"), at("07:00")]).toEqual([false, true, true, true, false]);
    expect([at("11:59", "12:00", "13:00"), at("12:30", "12:00", "13:00")]).toEqual([false, true]);
    expect(isQuiet({ ...preferences, quiet: false }, new Date("2026-11-20T23:00:00"))).toBe(false);
  });
});
