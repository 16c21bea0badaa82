import { created, done, ok, page, problem, type Routes } from "./answer.ts";
import * as data from "./data.ts";
import type { FakeServer } from "./server.ts";

function signIn(server: FakeServer, password: unknown) {
  if (password === "wrong-password") return undefined;
  server.session = structuredClone(data.session);
  return server.session;
}
const wrong = problem(401, "wrong", "Wrong.");

/** What a stranger may ask. */
export const door: Routes = {
  "POST /api/auth/sign-in": (server, { body }) => {
    const session = signIn(server, body.password);
    return session ? ok(session) : wrong;
  },
  "POST /api/auth/sign-up": (server, { body }) => {
    const session = signIn(server, body.password);
    return session ? created(session) : wrong;
  },
  "POST /api/auth/sign-out": (server) => {
    server.session = undefined;
    return done;
  },
};

/** Oneself, the team, and who else has a key. */
export const users: Routes = {
  "POST /api/auth/refresh": (server) => ok(server.session),
  "* /api/me": (server) => ok(server.session),
  "* /api/me/preferences": ({ preferences }, { method, body }) => {
    Object.assign(preferences, method === "PATCH" ? body : {});
    preferences.availability = preferences.away ? "away" : "available";
    return ok({ ...preferences });
  },
  "* /api/me/sign-ins": () =>
    ok({
      items: [
        {
          id: "sin_1",
          userAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0",
          ip: "196.25.1.9",
          createdAt: data.ago(400),
          lastUsedAt: data.ago(0),
          current: true,
        },
        {
          id: "sin_2",
          userAgent: "Mozilla/5.0 (iPhone) Version/18 Safari/605",
          ip: "105.0.2.7",
          createdAt: data.ago(4000),
          lastUsedAt: data.ago(90),
          current: false,
        },
      ],
    }),
  "* /api/users": (server, { query }) => ok(page(server.users, query)),
  "* /api/invitations": () =>
    ok({
      items: [
        {
          id: "inv_1",
          email: "thandi@quivertree.example",
          role: "agent",
          url: "https://indaba.example/sign-up?invitation=abc",
          expiresAt: data.ago(-9000),
        },
      ],
      next: null,
    }),
  "* /api/api-keys": () =>
    ok({
      items: [
        {
          id: "key_1",
          name: "n8n",
          role: "agent",
          prefix: "ik_7fQ2",
          scopes: [],
          createdAt: data.ago(9000),
          expiresAt: null,
          lastUsedAt: data.ago(40),
        },
      ],
      next: null,
    }),
};
