import createClient from "openapi-fetch";
import { Problem, Unreachable } from "./problem";
import { timed } from "./pulse";
import { refresh } from "./refresh";
import type { paths } from "./schema";

const READ_TIMEOUT = 15_000;

async function send(request: Request): Promise<Response> {
  try {
    // A write may be slow for good reasons (an upload, a gateway); a read that takes this long will not come.
    if (request.method === "GET")
      return await timed(
        fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(READ_TIMEOUT)]) }),
      );
    return await (request.url.includes("/api/conversations/") ? timed(fetch(request)) : fetch(request));
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Unreachable(error instanceof DOMException && error.name === "TimeoutError");
  }
}

/** Sends; if the access token has run out, gets a fresh one (once, for all tabs) and sends again. */
export async function sendFresh(request: Request): Promise<Response> {
  if (new URL(request.url).pathname.startsWith("/api/auth/")) return send(request);
  const again = request.clone();
  const asked = Date.now();
  const answer = await send(request);
  if (answer.status !== 401) return answer;
  const repeat = await refresh(asked).catch(() => {
    throw new Unreachable(false);
  });
  if (!repeat) return answer;
  await answer.body?.cancel();
  return send(again);
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: sendFresh });

/** The body of an answer; anything but success is thrown, as a `Problem` or as `Unreachable`. */
export async function take<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw new Problem(response, error);
  return data as T;
}

/** A key of our own for one act of the user: sent twice, it happens once. */
export const onceKey = (): string => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;

export const once = (key: string = onceKey()) => ({ "Idempotency-Key": key });
