import type { QueryClient } from "@tanstack/react-query";
import { isQuiet, preferences } from "~/api/preferences";
import type { Conversation, Message, Preferences } from "~/api/types";
import { known } from "~/features/conversations/cache";
import { inOneLine } from "~/features/conversations/kinds";
import { nameOf } from "~/i18n/name";
import { desktop, sound } from "~/ui/alerts";
import { chime } from "~/ui/chime";
import { onFrame } from "./live";
import { lookedAt, once } from "./tabs";

/** Who was away for longer finds a count, not a storm of sounds. */
const FRESH_MS = 60_000;
/** A burst of messages rings once. */
const CHIME_EACH_MS = 3_000;

/** Whether this person wants to be called for it. */
export function calls(of: Conversation, user: string, { alerts }: Pick<Preferences, "alerts">): boolean {
  if (alerts === "all") return true;
  return of.assignee ? of.assignee.id === user : alerts === "team";
}

/** Rings and shows what comes in, for as long as somebody is signed in. `open` goes to a conversation. */
export function watchAlerts(client: QueryClient, user: string, open: (conversation: string) => void): () => void {
  let rang = 0;
  return onFrame((frame, age) => {
    if (frame.kind !== "message.received" || age > FRESH_MS) return;
    const told = (frame.patch ?? {}) as { message?: Message; conversation?: Partial<Conversation> };
    const { message } = told;
    const wishes = client.getQueryData(preferences.queryKey);
    if (!message || !wishes || isQuiet(wishes, new Date())) return;
    const conversation = { ...known(client, message.conversationId), ...told.conversation } as Conversation;
    const { id, contact } = conversation;
    if (!contact || !calls(conversation, user, wishes)) return;
    void once(message.id, async () => {
      const pages = await lookedAt();
      if (pages.includes(`/chat/${id}`)) return;
      if (sound.get() && Date.now() - rang >= CHIME_EACH_MS) {
        rang = Date.now();
        chime();
      }
      if (pages.length === 0 && desktop.get() && "Notification" in window && Notification.permission === "granted")
        show(nameOf(contact), inOneLine(message.kind, message.body ?? ""), id, open);
    });
  });
}

function show(title: string, body: string, id: string, open: (conversation: string) => void): void {
  try {
    // The next message of the same conversation takes the place of this one.
    const shown = new Notification(title, { body, tag: id, icon: "/favicon.svg" });
    shown.onclick = () => {
      window.focus();
      open(id);
      shown.close();
    };
  } catch {
    // Browsers on phones show them only for installed pages: the sound and the count are left.
  }
}
