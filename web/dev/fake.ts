import type { IncomingMessage, Server } from "node:http";
import type { Plugin } from "vite";
import { WebSocketServer } from "ws";
import { demo, lively } from "../tests/fake/demo.ts";

/**
 * With INDABA_FAKE=1, `vite` and `vite preview` answer /api from memory: for work on the screens without a server.
 * Development only; nothing of it is built.
 */
export function fake(): Plugin | undefined {
  if (!process.env.INDABA_FAKE) return undefined;
  const server = demo(Number(process.env.INDABA_FAKE_MANY ?? 300));
  lively(server);
  if (process.env.INDABA_FAKE === "out") server.session = undefined;
  if (process.env.INDABA_FAKE === "empty")
    Object.assign(server, { instances: [], conversations: [], contacts: [], messages: [] });

  const read = async (request: IncomingMessage) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    try {
      return JSON.parse(Buffer.concat(parts).toString("utf8"));
    } catch {
      return {};
    }
  };
  type App = {
    httpServer: unknown;
    middlewares: {
      use: (
        path: string,
        handler: (request: IncomingMessage, response: import("node:http").ServerResponse) => void,
      ) => void;
    };
  };
  const attach = (app: App) => {
    app.middlewares.use("/api", async (request, response) => {
      const url = new URL(`/api${request.url}`, "http://fake");
      const answer = await server.answer({
        method: request.method ?? "GET",
        path: url.pathname,
        query: url.searchParams,
        body: await read(request),
        headers: new Headers(request.headers as Record<string, string>),
      });
      response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
      response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
    });
    const sockets = new WebSocketServer({ noServer: true });
    (app.httpServer as Server).on("upgrade", (request, socket, head) => {
      const url = new URL(request.url ?? "/", "http://fake");
      if (url.pathname !== "/api/live") return;
      sockets.handleUpgrade(request, socket, head, (open) => {
        const after = url.searchParams.get("after");
        const end = server.listen(after ? Number(after) : undefined, (frame) => open.send(JSON.stringify(frame)));
        open.on("close", end);
        open.on("message", (text) => server.heard(JSON.parse(String(text))));
      });
    });
  };
  return { name: "indaba-fake", configureServer: attach as never, configurePreviewServer: attach as never };
}
