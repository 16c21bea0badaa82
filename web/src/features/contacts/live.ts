import type { QueryClient } from "@tanstack/react-query";
import { keys } from "~/api/keys";
import type { Frame } from "~/api/live";
import { changed, find, type Pages } from "~/api/pages";
import type { Contact } from "~/api/types";

/** Applies an event about a contact to the contact's own cache and to the lists that show it. */
export function applyContactFrame(client: QueryClient, frame: Frame, only?: readonly unknown[]): void {
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
