import { act, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Live } from "~/api/live";
import { language } from "~/i18n/language";
import { instance } from "../../tests/fake/data";
import { FakeServer } from "../../tests/fake/server";
import { FakeSocket, house, screen as room, serve, socket, visit } from "../../tests/house";
import { theme } from "./theme";

describe("the frame", () => {
  it("follows the system's theme until one is chosen, and remembers it", async () => {
    const { server } = house();
    room.dark = true;
    const { user } = visit("/chat", server);
    await screen.findByTestId("rail");
    expect(document.documentElement.dataset.theme).toBe("dark");
    await user.click(screen.getByTestId("user-menu"));
    await user.click(await screen.findByRole("menuitemcheckbox", { name: "Light" }));
    expect(document.documentElement.dataset.theme).toBe("light");
    // What theme.js reads before the first paint of the next page.
    expect(localStorage.getItem("indaba.theme")).toBe('"light"');
    act(() => theme.set("system"));
  });

  it("has a narrow rail in the inbox and a wide one elsewhere, until somebody chooses", async () => {
    const { server } = house();
    const { user, router } = visit("/contacts", server);
    const toggle = await screen.findByTestId("rail-toggle");
    expect(toggle.getAttribute("aria-expanded")).toBe("true");
    await act(() => router.push("/chat"));
    expect(screen.getByTestId("rail-toggle").getAttribute("aria-expanded")).toBe("false");
    await user.click(screen.getByTestId("rail-toggle"));
    expect(screen.getByTestId("rail-toggle").getAttribute("aria-expanded")).toBe("true");
    expect(localStorage.getItem("indaba.rail")).toBe('"wide"');
  });

  it("has a bar below on a phone, but not over a thread", async () => {
    const { server, talks } = house("Lerato Mokoena");
    room.width = 360;
    const { router } = visit("/chat", server);
    expect(await screen.findByTestId("bottom-bar")).toBeTruthy();
    await act(() => router.push(`/chat/${talks[0]?.id}`));
    await screen.findByTestId("thread");
    expect(screen.queryByTestId("bottom-bar")).toBeNull();
    expect(screen.getByRole("link", { name: "Back to the inbox" })).toBeTruthy();
  });

  it("goes by keys: J and K, R, E, I, G C, ? and Ctrl+K", async () => {
    const { server, talks } = house("Lerato Mokoena", "Mandla Nkosi");
    const { user } = visit("/chat", server);
    await waitFor(() => expect(screen.getAllByTestId("conversation-row")).toHaveLength(2));
    await user.keyboard("j");
    await waitFor(() => expect(location.pathname).toBe(`/chat/${talks[0]?.id}`));
    await user.keyboard("j");
    await waitFor(() => expect(location.pathname).toBe(`/chat/${talks[1]?.id}`));
    await user.keyboard("k");
    await waitFor(() => expect(location.pathname).toBe(`/chat/${talks[0]?.id}`));
    const field = await screen.findByTestId("composer");
    await user.keyboard("i");
    await waitFor(() => expect(talks[0]?.assignee?.name).toBe("Naledi Dube"));
    await user.keyboard("r");
    expect(document.activeElement).toBe(field);
    await user.keyboard("je");
    expect((field as HTMLTextAreaElement).value).toBe("je");
    await user.keyboard("{Escape}e");
    await waitFor(() => expect(talks[0]?.state).toBe("closed"));
    await user.keyboard("?");
    await screen.findByTestId("shortcuts");
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByTestId("shortcuts")).toBeNull());
    await user.keyboard("{Control>}k{/Control}");
    await screen.findByTestId("palette");
    await user.keyboard("numbers{Enter}");
    await waitFor(() => expect(location.pathname).toBe("/instances"));
    await user.keyboard("gc");
    await waitFor(() => expect(location.pathname).toBe("/chat"));
  });

  it("goes from the palette to the conversation with a contact, which is made when there is none", async () => {
    const { server, talks } = house("Lerato Mokoena");
    const [lerato] = talks;
    const hit = { kind: "contact", contact: lerato?.contact, conversationId: null, message: null, snippet: "" };
    server.on("GET", "/api/search", { status: 200, body: { items: [hit], next: null } });
    const { user } = visit("/contacts", server);
    await screen.findByText("Lerato Mokoena");
    await user.keyboard("{Control>}k{/Control}");
    await screen.findByTestId("palette");
    await user.keyboard("lerato");
    await user.click(await screen.findByRole("option", { name: /Lerato Mokoena/ }));
    await waitFor(() => expect(location.pathname).toBe(`/chat/${lerato?.id}`));
  });

  it("keeps the view, the order and the search in the address", async () => {
    const { server } = house("Lerato Mokoena");
    const { user } = visit("/chat?view=mine&sort=oldest", server);
    await screen.findByText("Nothing is yours to do");
    expect(server.asked.find((one) => one.path === "/api/conversations")?.query.toString()).toBe(
      "state=open&assignee=me&sort=oldest&limit=50",
    );
    await user.type(screen.getByTestId("search"), "dogs");
    await waitFor(() => expect(location.search).toBe("?view=mine&sort=oldest&q=dogs"));
  });

  it("says so when there is no such page, or it is not for this person", async () => {
    const { server } = house();
    if (server.session) server.session.role = "agent";
    const { router } = visit("/nowhere", server);
    await screen.findByText("There is no such page");
    await act(() => router.push("/settings/audit"));
    expect((await screen.findByTestId("not-allowed")).textContent).toContain("“Audit log” is for admins");
  });
});

describe("the live connection", () => {
  const options = () => ({ onFrame: vi.fn(), onReset: vi.fn(), onStart: vi.fn(), check: vi.fn(async () => undefined) });

  it("waits longer after each failure, and asks whether the session is still good", async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    serve(new FakeServer());
    FakeSocket.down = true;
    const given = options();
    const live = new Live(given);
    live.start();
    const waits: number[] = [];
    for (let tries = 0; tries < 7; tries += 1) {
      await vi.advanceTimersByTimeAsync(0);
      const { status } = live;
      if (status.is !== "waiting") throw new Error(status.is);
      waits.push(status.retryAt - Date.now());
      await vi.advanceTimersByTimeAsync(status.retryAt - Date.now());
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    expect(given.check).toHaveBeenCalledTimes(7);
    live.stop();
    vi.restoreAllMocks();
  });

  it("hears each number once, and remembers the last", async () => {
    const server = new FakeServer();
    serve(server);
    const given = options();
    const live = new Live(given);
    live.start();
    await waitFor(() => expect(given.onStart).toHaveBeenCalledOnce());
    const frame = server.emit("message.sent", {}, {});
    socket().onmessage?.({ data: JSON.stringify(frame) });
    expect(given.onFrame).toHaveBeenCalledOnce();
    expect(live.seq).toBe(frame.seq);
    live.stop();
  });

  it("takes up the thread after the machine slept", async () => {
    vi.useFakeTimers();
    const server = new FakeServer();
    serve(server);
    const live = new Live(options());
    live.start();
    await vi.advanceTimersByTimeAsync(20);
    const { seq } = server;
    // Asleep: the clock goes on, timers do not, and the socket never says that it is dead.
    vi.setSystemTime(Date.now() + 3_600_000);
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(20);
    expect(FakeSocket.all).toHaveLength(2);
    expect(socket().url.searchParams.get("after")).toBe(String(seq));
    live.stop();
  });
});

describe("the pseudo language", () => {
  afterEach(() => {
    language.pseudo = false;
  });

  // Data and signs, which no catalogue holds.
  const data =
    /^alt\+T$|Lerato|Mokoena|Quiver|Naledi|Dube|Pieter|Botha|Sales|thandi|n8n|ik_|cnv_|ins_|req_|job_|naledi@|pieter@|https?:|Johannesburg|Chrome|Linux|iOS|Safari|105\.|196\.|message\.send|media\.fetch|conversation\.close|instance\.create|gateway answered|South Africa|Africa\/|event_|[A-Z]{2}$/;

  function plainTexts(): string[] {
    const found: string[] = [];
    const look = (text: string | null | undefined) => {
      if (!text) return;
      const rest = text.replace(/⟦[^⟦⟧]*(⟦[^⟦⟧]*⟧[^⟦⟧]*)*⟧/gu, "").trim();
      if (/\p{L}{3,}/u.test(rest) && !data.test(rest)) found.push(rest);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node instanceof Element) {
        if (/^(OPTION|SCRIPT|STYLE|TITLE|KBD|CODE|TIME)$/i.test(node.tagName)) continue;
        for (const name of ["aria-label", "title", "placeholder", "alt"]) look(node.getAttribute(name));
      } else if (!/^(OPTION|SCRIPT|STYLE|KBD|CODE|TIME)$/i.test(node.parentElement?.tagName ?? ""))
        look(node.textContent);
    }
    return found;
  }

  for (const path of [
    "/chat",
    "/contacts",
    "/instances",
    "/instances?add=1",
    "/settings/profile",
    "/settings/sign-ins",
    "/settings/preferences",
    "/settings/notifications",
    "/settings/quick-replies",
    "/settings/labels",
    "/settings/gateways",
    "/settings/workspace",
    "/settings/team",
    "/settings/api-keys",
    "/settings/audit",
    "/settings/jobs",
  ])
    it(`leaves no word in plain English on ${path}`, async () => {
      language.pseudo = true;
      const { server } = house("Lerato Mokoena");
      server.instances.push(instance({ state: "attention", trouble: "passkey", stateReason: "Said in English." }));
      const { client } = visit(path, server);
      await waitFor(() => expect(client.isFetching()).toBe(0));
      await waitFor(() => expect(document.querySelector("main")?.textContent?.length).toBeGreaterThan(20));
      expect(plainTexts()).toEqual([]);
    });
});

describe("a search field", () => {
  it("keeps every letter of a fast typist, and asks once they pause", async () => {
    const { server } = house("Lerato Mokoena");
    const { user } = visit("/chat", server);
    await user.type(await screen.findByTestId("search"), "the garden of the house");
    expect((screen.getByTestId("search") as HTMLInputElement).value).toBe("the garden of the house");
    await waitFor(() =>
      expect(server.asked.some((one) => one.query.get("q") === "the garden of the house")).toBe(true),
    );
    expect(server.asked.filter((one) => one.path === "/api/search").length).toBeLessThan(4);
    await waitFor(() => expect(location.search).toBe("?q=the+garden+of+the+house"));
    await user.click(screen.getByRole("button", { name: "Clear the search" }));
    await screen.findByText("Lerato Mokoena");
    await waitFor(() => expect(location.search).toBe(""));
  });
});
