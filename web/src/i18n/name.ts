import { phone } from "~/i18n/format";
import { t } from "~/i18n/t";

interface Named {
  name?: string | null;
  phone?: string | null;
}

/** What to call a person: the name, else the number, else that we know neither. */
export const nameOf = (who: Named): string =>
  who.name?.trim() || (who.phone ? phone(who.phone) : t("contact.nameless"));
