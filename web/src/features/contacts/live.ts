import type { QueryClient } from "@tanstack/react-query";
import { keys } from "~/api/keys";
import type { Frame } from "~/api/live";
import { changed, find, type Pages } from "~/api/pages";
import type { Contact, Conversation } from "~/api/types";

/** Moves the time of a contact's last message on, wherever it is shown. */
function spokeAt(client: QueryClient, id: string, at: string): void {
  const later = (one: Contact): Contact =>
    !one.lastMessageAt || Date.parse(one.lastMessageAt) < Date.parse(at) ? { ...one, lastMessageAt: at } : one;
  client.setQueryData<Contact>(keys.contact(id), (before) => before && later(before));
  for (const [key, pages] of client.getQueriesData<Pages<Contact>>({ queryKey: keys.contactLists }))
    if (pages && find(pages, id)) client.setQueryData(key, changed(pages, id, later));
}

/** Applies an event about a contact to the contact's own cache and to the lists that show it. */
export function applyContactFrame(client: QueryClient, frame: Frame, only?: readonly unknown[]): void {
  const talk = frame.patch?.conversation as Partial<Conversation> | undefined;
  if (talk?.contact && talk.lastMessage && !only) spokeAt(client, talk.contact.id, talk.lastMessage.at);
  const contact = frame.patch?.contact as Contact | undefined;
  if (!contact || !frame.kind.startsWith("contact.") || only) return;
  client.setQueryData<Contact>(keys.contact(contact.id), (before) => (before ? { ...before, ...contact } : before));
  let listed = false;
  for (const [key, pages] of client.getQueriesData<Pages<Contact>>({ queryKey: keys.contactLists })) {
    if (!pages) continue;
    listed ||= !!find(pages, contact.id);
    client.setQueryData(
      key,
      changed(pages, contact.id, (before) => ({ ...before, ...contact })),
    );
  }
  // A new contact's place depends on the list's search: the server knows.
  if (!listed) void client.invalidateQueries({ queryKey: keys.contactLists, refetchType: "none" });
}
