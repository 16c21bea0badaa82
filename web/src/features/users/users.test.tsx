import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { safeNext } from "~/app/AuthPage";
import { problem } from "../../../tests/fake/server";
import { house, visit } from "../../../tests/house";
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
  });
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
