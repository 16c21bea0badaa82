import type { QuickReply } from "~/api/types";
import { type Asked, created, done, missing, ok, page, problem, type Routes } from "./answer.ts";
import * as data from "./data.ts";
import type { FakeServer } from "./server.ts";

const called = (shortcut: string): string => shortcut.replace(/^\//, "").toLowerCase();

function keep(server: FakeServer, { body }: Asked, before: QuickReply | undefined) {
  const others = server.quickReplies.filter((other) => other !== before);
  const { mediaId, ...fields } = body;
  const one = data.quickReply({ ...before, ...fields } as Partial<QuickReply>);
  one.shortcut = called(one.shortcut);
  if (others.some((other) => other.scope === one.scope && other.shortcut === one.shortcut))
    return problem(409, "shortcut-taken", "Another quick reply has it.");
  one.media = server.media.get(String(mediaId)) ?? null;
  server.quickReplies = [...others, one];
  server.emit("quick_reply.changed", { quickReply: one.id }, {});
  return before ? ok(one) : created(one);
}

export const quickReplies: Routes = {
  "GET /api/quick-replies": (server, { query }) =>
    ok(
      page(
        server.quickReplies.sort((a, b) => (a.shortcut < b.shortcut ? -1 : 1)),
        query,
      ),
    ),
  "POST /api/quick-replies": (server, asked) => keep(server, asked, undefined),
  "* /api/quick-replies/:id": (server, asked, id) => {
    const before = server.quickReplies.find((one) => one.id === id);
    if (!before) return missing("quick reply");
    if (asked.method !== "DELETE") return keep(server, asked, before);
    server.quickReplies = server.quickReplies.filter((one) => one !== before);
    return done;
  },
};
