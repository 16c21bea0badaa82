import { phone } from "~/i18n/format";
import { type PlainKey, t } from "~/i18n/t";

interface Named {
  name?: string | null;
  phone?: string | null;
}

/** What to call a person: the name, else the number, else that we know neither. */
export const nameOf = (who: Named): string =>
  who.name?.trim() || (who.phone ? phone(who.phone) : t("contact.nameless"));

const ways: Record<string, PlainKey> = {
  waha: "provider.short.waha",
  evolution: "provider.short.evolution",
  cloud: "provider.short.cloud",
};

/** How a number reaches WhatsApp, in a word. */
export const wayOf = (provider: string): string => {
  const key = ways[provider];
  return key ? t(key) : provider;
};
