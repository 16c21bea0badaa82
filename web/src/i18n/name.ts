import { phone } from "~/i18n/format";
import { type PlainKey, t } from "~/i18n/t";

interface Named {
  name?: string | null;
  phone?: string | null;
}

/** What to call a person: the name, else the number, else that we know neither. */
export const nameOf = (who: Named): string =>
  who.name?.trim() || (who.phone ? phone(who.phone) : t("contact.nameless"));

/** How one begins to write to a person: the first name, else all that we know. */
export const firstNameOf = (who: Named): string => who.name?.trim().split(/\s+/)[0] || nameOf(who);

const ways: Record<string, PlainKey> = {
  waha: "provider.short.waha",
  evolution: "provider.short.evolution",
  cloud: "provider.short.cloud",
};

/** A number and how it reaches WhatsApp, in a word. */
export function numberBy({ name, provider }: { name: string; provider: string }): string {
  const way = ways[provider];
  return t("row.numberBy", { name, way: way ? t(way) : provider });
}

/** Whether numbers reach WhatsApp in different ways: then each is told with its own. */
export const mixed = (numbers: readonly { provider: string }[] | undefined): boolean =>
  new Set(numbers?.map((one) => one.provider)).size > 1;
