import type { QueryClient } from "@tanstack/react-query";
import { keys } from "~/api/keys";
import type { Frame } from "~/api/live";

/** Somebody changed a quick reply. The stream does not say how: it may be one person's own. */
export function applyQuickReplyFrame(client: QueryClient, frame: Frame, only?: readonly unknown[]): void {
  if (frame.kind === "quick_reply.changed" && !only) void client.invalidateQueries({ queryKey: keys.quickReplies });
}
