import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import type { Frame } from "./live";
import { Problem } from "./problem";

/** How long frames are remembered for answers that were on their way while they came. */
const REMEMBER_MS = 60_000;

/** Applies one event to one query (`only`), or to all of them. */
export type Apply = (frame: Frame, only?: readonly unknown[]) => void;

/**
 * An answer shows the server as it was when it was read; events that came while it travelled would be overwritten by
 * it. So each query notes where in the stream it began, and what came since is applied to its answer again. Patches are
 * idempotent and carry whole values, so doing that twice changes nothing.
 */
export class Replay {
  #frames: { at: number; frame: Frame }[] = [];
  #began = new Map<string, number>();
  #count = 0;
  #apply: Apply = () => undefined;

  /** Watches the queries of `client` and applies events with `apply`. */
  attach(client: QueryClient, apply: Apply): () => void {
    this.#apply = apply;
    return client.getQueryCache().subscribe((event) => {
      if (event.type !== "updated") return;
      const { action, query } = event;
      if (action.type === "fetch") this.#began.set(query.queryHash, this.#count);
      if (action.type === "success" && !action.manual) {
        const since = this.#began.get(query.queryHash);
        this.#began.delete(query.queryHash);
        if (since === undefined || since === this.#count) return;
        const first = this.#count - this.#frames.length;
        for (const { frame } of this.#frames.slice(Math.max(0, since - first))) this.#apply(frame, query.queryKey);
      }
    });
  }

  hear(frame: Frame): void {
    const now = Date.now();
    this.#frames.push({ at: now, frame });
    this.#count += 1;
    const fresh = this.#frames.findIndex((one) => now - one.at < REMEMBER_MS);
    if (fresh > 0) this.#frames.splice(0, fresh);
    this.#apply(frame);
  }
}

const sure = (error: unknown): boolean => error instanceof Problem && error.status < 500 && error.status !== 429;

export function makeClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache(),
    mutationCache: new MutationCache(),
    defaultOptions: {
      queries: {
        // The stream keeps what is shown true; asking again on focus would only cost data.
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: 30 * 60_000,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        networkMode: "always",
        retry: (count, error) => count < 1 && !sure(error),
        retryDelay: 600,
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
