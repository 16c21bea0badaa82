import type { Page } from "~/api/types";
import type { FakeServer } from "./server.ts";

/** What was asked, for tests that look. */
export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  headers: Headers;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Answers one route; `id` and `act` are what stands in the path for `:id` and `:act`. */
export type Handler = (server: FakeServer, asked: Asked, id: string, act: string | undefined) => Answer;

/** The routes of a room: "GET /api/labels/:id". A `*` is any method, `:act` the rest of the path or nothing. */
export type Routes = Record<string, Handler>;

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const done: Answer = { status: 204 };

export const problem = (status: number, slug: string, detail: string, errors?: unknown): Answer => ({
  status,
  body: {
    type: `/problems/${slug}`,
    title: slug,
    status,
    detail,
    requestId: "req_01test",
    ...(errors ? { errors } : {}),
  },
  headers: { "x-request-id": "req_01test" },
});

export const missing = (what: string): Answer => problem(404, "missing", `There is no such ${what}.`);

/** The part of a list that was asked for. */
export function page<T>(items: T[], query: URLSearchParams): Page<T> {
  const from = Number(query.get("after") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  return {
    items: structuredClone(items.slice(from, from + limit)),
    next: from + limit < items.length ? String(from + limit) : null,
  };
}

const patterns = new Map<string, RegExp>();

/** What stands in the path for the names of a route, if the route fits. */
export function fits(route: string, { method, path }: Asked): Record<string, string> | undefined {
  const [verb, names = ""] = route.split(" ");
  if (verb !== "*" && verb !== method) return undefined;
  let pattern = patterns.get(names);
  if (!pattern) {
    pattern = new RegExp(`^${names.replace("/:act", "(?:/(?<act>.+))?").replace(":id", "(?<id>[^/]+)")}$`);
    patterns.set(names, pattern);
  }
  const found = pattern.exec(path);
  return found ? { ...found.groups } : undefined;
}
