import { created, done, missing, ok, page, problem, type Routes } from "./answer.ts";
import * as data from "./data.ts";

const dots = Array.from({ length: 400 }, (_, at) => `M${4 + ((at * 7) % 29)} ${4 + ((at * at * 3 + at) % 29)}h1v1h-1z`);
const code = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 37 37"><rect width="37" height="37" fill="#fff"/><path d="${dots.join("")}"/></svg>`;

/** Numbers, and the gateways on which they live. */
export const numbers: Routes = {
  "GET /api/gateways": (server, { query }) => ok(page(server.gateways, query)),
  "POST /api/gateways": (server, { body }) => {
    const made = data.gateway({
      id: data.nextId("gtw"),
      name: String(body.name ?? new URL(String(body.url)).host),
      kind: String(body.kind),
      url: String(body.url),
      owner: "tenant",
      instances: 0,
    });
    server.gateways.push(made);
    return created(made);
  },
  "* /api/gateways/:id/:act": (server, { method, body }, id, act) => {
    const one = server.gateways.find((other) => other.id === id);
    if (!one) return missing("gateway");
    if (method === "DELETE") {
      server.gateways = server.gateways.filter((other) => other !== one);
      return done;
    }
    if (act === "setup")
      return ok({
        url: "https://indaba.example/api/webhooks/waha/shared",
        events: ["message.any"],
        secret: "s".repeat(64),
      });
    if (act === "check") one.health = { ...one.health, state: "ok", detail: null, checkedAt: data.ago(0) };
    const { apiKey: _, ...change } = body;
    if (method === "PATCH") Object.assign(one, change);
    return ok(structuredClone(one));
  },
  "GET /api/instances": (server, { query }) => ok(page(server.instances, query)),
  "POST /api/instances": (server, { body }) => {
    const settings = (body.settings ?? {}) as Record<string, string>;
    const metas = body.provider === "cloud";
    const made = data.instance({
      provider: String(body.provider ?? "waha"),
      name: String(body.name),
      state: metas ? "connected" : "linking",
      linkStep: metas ? null : "scan",
      phone: metas ? "+27820000077" : null,
      pushName: null,
      sync: data.idle,
      ...(metas && {
        lastHookAt: null,
        cloud: { phoneNumberId: settings.phoneNumberId ?? "", wabaId: settings.wabaId ?? "", appId: null },
      }),
    });
    server.instances.push(made);
    return created(made);
  },
  "* /api/instances/:id/:act": (server, { method, body }, id, act) => {
    const one = server.instances.find((other) => other.id === id);
    if (!one) return missing("number");
    if (method === "DELETE") {
      server.instances = server.instances.filter((other) => other !== one);
      return done;
    }
    if (method === "PATCH") Object.assign(one, body);
    if (act === "qr") {
      if (one.linkStep !== "scan") return problem(409, "no-code", "There is nothing to scan.");
      return ok({
        dataUrl: `data:image/svg+xml,${encodeURIComponent(code)}`,
        expiresAt: new Date(Date.now() + 42_000).toISOString(),
        attempt: 2,
        attempts: 6,
      });
    }
    if (act === "check")
      return ok({
        steps: [
          { name: "reach", ok: true, detail: "Meta answers" },
          { name: "key", ok: true, detail: "the access token is right" },
          { name: "hooks", ok: false, detail: "no call has come yet: write to the number from a phone" },
        ],
      });
    if (act === "pairing-code") return ok({ code: "ABCD-1234" });
    if (act === "start") Object.assign(one, { state: "linking", linkStep: "scan" });
    if (act === "stop") Object.assign(one, { state: "paused", linkStep: null });
    if (act === "logout") Object.assign(one, { state: "disconnected", linkStep: null, trouble: "loggedOut" });
    return ok(structuredClone(one));
  },
};
