import { renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeClient } from "~/api/cache";
import { preferences } from "~/api/preferences";
import type { Conversation, Session } from "~/api/types";
import { desktop } from "~/ui/alerts";
import { FakeSocket, house, serve, socket } from "../../tests/house";
import { watchAlerts } from "./alerts";
import { goLive } from "./live";
import { useLooking } from "./tabs";

/** The browser's locks, with those that other tabs hold. */
function locks(...others: string[]): void {
  const held = new Set(others);
  Object.defineProperty(navigator, "locks", {
    configurable: true,
    value: {
      query: async () => ({ held: [...held].map((name) => ({ name })) }),
      request: async (name: string, options: { ifAvailable?: boolean }, work: (lock: object | null) => unknown) => {
        if (options.ifAvailable && held.has(name)) return work(null);
        held.add(name);
        try {
          return await work({ name });
        } finally {
          held.delete(name);
        }
      },
    },
  });
}

describe("alerts", () => {
  let shown: { title: string; body: string; click: () => void }[];
  let end: (() => void) | undefined;
  const focus = vi.spyOn(document, "hasFocus");

  beforeEach(() => {
    shown = [];
    focus.mockReturnValue(false);
    desktop.set(true);
    vi.stubGlobal(
      "Notification",
      class {
        static permission = "granted";
        onclick = () => undefined;
        constructor(title: string, { body }: { body: string }) {
          shown.push({ title, body, click: () => this.onclick() });
        }
        close() {}
      },
    );
  });

  afterEach(() => {
    end?.();
    end = undefined;
    desktop.set(false);
    Reflect.deleteProperty(navigator, "locks");
  });

  /** Signs in, stands at the conversation with Lerato, and hears what comes in. */
  async function open() {
    const { server, talks } = house("Lerato Mokoena", "Mandla Nkosi", "Thandi Zulu");
    const [lerato, mandla, thandi] = talks as [Conversation, Conversation, Conversation];
    serve(server);
    history.replaceState(null, "", `/chat/${lerato.id}`);
    const client = makeClient();
    client.setQueryData(preferences.queryKey, server.preferences);
    const session = server.session as Session;
    const went: string[] = [];
    const ends = [goLive(client, session), watchAlerts(client, session.user.id, (id) => went.push(id))];
    end = () => {
      for (const one of ends) one();
    };
    await waitFor(() => expect(socket().readyState).toBe(1));
    return { server, lerato, mandla, thandi, went };
  }
  const said = () => shown.map(({ title, body }) => [title, body]);

  it("show what comes in, but not in the conversation that somebody looks at, and not what is none of theirs", async () => {
    const { server, lerato, mandla, thandi, went } = await open();
    mandla.assignee = { id: server.users[1]?.id ?? "", name: "Pieter Botha" };
    server.say(mandla, { body: "For Pieter" });
    server.say(lerato, { body: "Nobody looks" });
    await waitFor(() => expect(shown).toHaveLength(1));
    focus.mockReturnValue(true);
    server.say(lerato, { body: "Somebody looks" });
    focus.mockReturnValue(false);
    server.say(thandi, { body: "Is *it* still to let?" });
    await waitFor(() => expect(shown).toHaveLength(2));
    expect(said()).toEqual([
      ["Lerato Mokoena", "Nobody looks"],
      ["Thandi Zulu", "Is it still to let?"],
    ]);
    shown[1]?.click();
    expect(went).toEqual([thandi.id]);
  });

  it("stay away while another tab shows the conversation to somebody", async () => {
    const { server, lerato, thandi } = await open();
    locks(`indaba.looking /chat/${lerato.id}`);
    server.say(lerato, { body: "Looked at over there" });
    locks();
    server.say(thandi, { body: "Nobody looks" });
    await waitFor(() => expect(said()).toEqual([["Thandi Zulu", "Nobody looks"]]));
  });

  it("tell the other tabs where somebody looks, and that they went away", async () => {
    locks();
    const { unmount } = renderHook(() => useLooking("/chat/cnv_1"));
    const names = async () => (await navigator.locks.query()).held?.map((one) => one.name);
    expect(await names()).toEqual([]);
    focus.mockReturnValue(true);
    dispatchEvent(new Event("focus"));
    expect(await names()).toEqual(["indaba.looking /chat/cnv_1"]);
    focus.mockReturnValue(false);
    dispatchEvent(new Event("blur"));
    await waitFor(async () => expect(await names()).toEqual([]));
    focus.mockReturnValue(true);
    dispatchEvent(new Event("focus"));
    unmount();
    await waitFor(async () => expect(await names()).toEqual([]));
  });

  it("come from one tab alone", async () => {
    const { server, lerato, thandi } = await open();
    locks();
    const again = vi
      .spyOn(navigator.locks, "request")
      .mockImplementation(async (_name, _options, work) => work?.(null));
    server.say(lerato, { body: "Another tab has it" });
    again.mockRestore();
    server.say(thandi, { body: "This one has it" });
    await waitFor(() => expect(said()).toEqual([["Thandi Zulu", "This one has it"]]));
  });

  it("do not ask what the device's clock says", async () => {
    const { server, lerato } = await open();
    const now = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(now + 10 * 60_000);
    server.say(lerato, { body: "The clock is ten minutes ahead" });
    vi.mocked(Date.now).mockRestore();
    await waitFor(() => expect(shown).toHaveLength(1));
  });

  it("tell what was missed for a moment, and not what was missed for long", async () => {
    const { server, lerato, thandi } = await open();
    const cutOff = async (ms: number, meanwhile: () => void) => {
      const now = Date.now();
      const before = socket();
      before.cut();
      meanwhile();
      vi.spyOn(Date, "now").mockReturnValue(now + ms);
      dispatchEvent(new Event("online"));
      await waitFor(() => expect(socket()).not.toBe(before));
      await waitFor(() => expect(socket().readyState).toBe(1));
      vi.mocked(Date.now).mockRestore();
    };
    await cutOff(10 * 60_000, () => server.say(lerato, { body: "Ten minutes ago" }));
    await cutOff(20_000, () => server.say(thandi, { body: "A moment ago" }));
    await waitFor(() => expect(said()).toEqual([["Thandi Zulu", "A moment ago"]]));
    expect(FakeSocket.all).toHaveLength(3);
  });
});
