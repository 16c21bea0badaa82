import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { vi } from "vitest";
import { makeClient } from "~/api/cache";
import type { Conversation } from "~/api/types";
import { App } from "~/app/App";
import { makeRouter } from "~/app/router";
import { ago, contact, conversation, instance } from "./fake/data";
import { FakeServer } from "./fake/server";

/** The size and the light of the room in which the page is looked at. */
export const screen = { width: 1440, dark: false };

/** The browser's end of the live stream, in the hands of a test. */
export class FakeSocket {
  static all: FakeSocket[] = [];
  static server: FakeServer | undefined;
  /** The network is gone: connections fail. */
  static down = false;
  static readonly OPEN = 1;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  said: Record<string, unknown>[] = [];
  #end: (() => void) | undefined;
  readonly url: URL;

  constructor(url: string | URL) {
    this.url = new URL(url);
    FakeSocket.all.push(this);
    queueMicrotask(() => {
      if (this.readyState === 3) return;
      if (FakeSocket.down || !FakeSocket.server) return this.cut();
      this.readyState = 1;
      this.onopen?.();
      const after = this.url.searchParams.get("after");
      this.#end = FakeSocket.server.listen(after ? Number(after) : undefined, (frame) =>
        this.onmessage?.({ data: JSON.stringify(frame) }),
      );
    });
  }

  send(text: string) {
    this.said.push(JSON.parse(text));
    FakeSocket.server?.heard(JSON.parse(text));
  }

  close() {
    this.#end?.();
    this.readyState = 3;
  }

  /** The connection breaks. */
  cut(code = 1006) {
    this.close();
    this.onclose?.({ code });
  }
}

/** Puts a server behind `fetch` and `WebSocket`. */
export function serve(server: FakeServer): void {
  FakeSocket.all = [];
  FakeSocket.server = server;
  FakeSocket.down = false;
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const request = typeof input === "string" ? new Request(new URL(input, location.origin), init) : input;
    if (FakeSocket.down) throw new TypeError("Failed to fetch");
    const url = new URL(request.url);
    const text = request.method === "GET" ? "" : await request.text().catch(() => "");
    let body: Record<string, unknown> = {};
    try {
      body = JSON.parse(text);
    } catch {
      // A form, or nothing.
    }
    const answer = await server.answer({
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      body,
      headers: request.headers,
    });
    return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), {
      status: answer.status,
      headers: { "content-type": "application/json", ...answer.headers },
    });
  });
}

/** A workspace with one number and these customers, each with a conversation. */
export function house(...names: string[]): { server: FakeServer; talks: Conversation[] } {
  const server = new FakeServer();
  const line = instance();
  server.instances = [line];
  const talks = names.map((name, at) => {
    const who = contact(name, `+2782000${String(at).padStart(4, "0")}`);
    server.contacts.push(who);
    const talk = conversation(who, line, { createdAt: ago(600 + at) });
    server.conversations.push(talk);
    return talk;
  });
  return { server, talks };
}

/** Opens a page of the app as a browser would. */
export function visit(path: string, server: FakeServer) {
  serve(server);
  history.replaceState(null, "", path);
  const client = makeClient();
  const router = makeRouter();
  const view = render(<App client={client} router={router} />);
  return { client, router, user: userEvent.setup({ delay: null }), ...view };
}

export const socket = (): FakeSocket => FakeSocket.all.at(-1) as FakeSocket;
