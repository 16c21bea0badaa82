import { Inbox, Settings, Smartphone, Users } from "lucide-react";
import type { PlainKey } from "~/i18n/t";

interface Place {
  to: string;
  name: PlainKey;
  icon: typeof Inbox;
}

/** The root pages, as the rail and the bottom bar show them. */
export const places: Place[] = [
  { to: "/chat", name: "place.inbox", icon: Inbox },
  { to: "/contacts", name: "place.contacts", icon: Users },
  { to: "/instances", name: "place.numbers", icon: Smartphone },
  { to: "/settings", name: "place.settings", icon: Settings },
];
