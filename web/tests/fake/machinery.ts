import { ok, type Routes } from "./answer.ts";
import * as data from "./data.ts";

/** What happened, and what is still to be done. */
export const machinery: Routes = {
  "* /api/audit": () =>
    ok({
      items: [
        {
          id: "aud_2",
          at: data.ago(4),
          actor: { kind: "user", ...data.me },
          action: "conversation.close",
          subject: { kind: "conversation", id: "cnv_1" },
          before: { state: "open" },
          after: { state: "closed" },
          requestId: "req_01",
        },
        {
          id: "aud_1",
          at: data.ago(300),
          actor: { kind: "user", ...data.pieter },
          action: "instance.create",
          subject: { kind: "instance", id: "ins_1" },
          before: null,
          after: { name: "Sales line" },
          requestId: "req_02",
        },
      ],
      next: null,
    }),
  "* /api/jobs/summary": () =>
    ok({
      kinds: [
        { kind: "message.send", ready: 2, running: 1, dead: 0 },
        { kind: "media.fetch", ready: 0, running: 0, dead: 1 },
      ],
    }),
  "* /api/jobs": () =>
    ok({
      items: [
        {
          id: "job_2",
          kind: "media.fetch",
          state: "dead",
          lane: null,
          priority: 2,
          attempt: 8,
          maxAttempts: 8,
          runAt: data.ago(9),
          lastError: "the gateway answered 500 to GET /api/files/a.jpg",
          createdAt: data.ago(30),
          startedAt: data.ago(9),
          finishedAt: data.ago(9),
        },
        {
          id: "job_1",
          kind: "message.send",
          state: "running",
          lane: "out:cnv_1",
          priority: 0,
          attempt: 1,
          maxAttempts: 8,
          runAt: data.ago(0),
          lastError: null,
          createdAt: data.ago(0),
          startedAt: data.ago(0),
          finishedAt: null,
        },
      ],
      next: null,
    }),
};
