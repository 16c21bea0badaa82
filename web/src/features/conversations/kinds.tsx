import {
  CircleHelp,
  Contact,
  File,
  Image,
  ListChecks,
  MapPin,
  Mic,
  Music,
  Phone,
  ShoppingBag,
  Sticker,
  Video,
} from "lucide-react";
import type { ComponentType } from "react";
import { type PlainKey, t } from "~/i18n/t";
import { plain } from "./format";

const icons: Record<string, ComponentType<{ size?: number; className?: string; "aria-hidden"?: boolean }>> = {
  image: Image,
  video: Video,
  audio: Music,
  voice: Mic,
  document: File,
  sticker: Sticker,
  location: MapPin,
  contacts: Contact,
  poll: ListChecks,
  order: ShoppingBag,
  call: Phone,
  unsupported: CircleHelp,
};

/** The icon of a kind of message; plain text has none. */
export function KindIcon({ kind, size = 14 }: { kind: string; size?: number }) {
  const Icon = icons[kind];
  return Icon ? <Icon size={size} className="shrink-0" aria-hidden /> : null;
}

const words: Record<string, PlainKey> = {
  image: "kind.image",
  video: "kind.video",
  audio: "kind.audio",
  voice: "kind.voice",
  document: "kind.document",
  sticker: "kind.sticker",
  location: "kind.location",
  contacts: "kind.contacts",
  poll: "kind.poll",
  order: "kind.order",
  call: "kind.call",
  template: "kind.template",
  formReply: "kind.form",
  text: "kind.text",
};

/** What the server writes, in English, in the place of words that a message has not. */
const named: Record<string, string> = {
  image: "Photo",
  video: "Video",
  audio: "Audio",
  voice: "Voice message",
  document: "Document",
  sticker: "Sticker",
  location: "Location",
  contacts: "Contact card",
  poll: "Poll",
  call: "Call",
  order: "Order",
  template: "Template",
};

/** What to call a message that has no words of its own. */
export const kindName = (kind: string): string => t(words[kind] ?? "kind.unsupported");

/** A message in one line: its words, else what it is. */
export function inOneLine(kind: string, preview: string): string {
  const words = plain(preview);
  // A text without words was one.
  if (!words && kind === "text") return t("message.deleted");
  return !words || words === named[kind] ? kindName(kind) : words;
}
