import { z } from "zod";
import { t } from "~/i18n/t";

// The same rules as the server's, said before the round trip.

export const email = () =>
  z
    .string()
    .trim()
    .min(1, t("rule.emailMissing"))
    .pipe(z.email(t("rule.email")));

const bytes = new TextEncoder();

export const newPassword = () =>
  z
    .string()
    .refine((text) => bytes.encode(text).length >= 8, t("rule.passwordShort"))
    .refine((text) => bytes.encode(text).length <= 1024, t("rule.passwordLong"));

export const required = (message: string) => z.string().trim().min(1, message).max(120, t("rule.long"));

/** The words that attackers try first, and the person's own. Not a score: a reason. */
const common = new Set(
  "password passw0rd password1 12345678 123456789 1234567890 qwertyui qwerty123 11111111 00000000 iloveyou letmein1 welcome1 admin123 abc12345 football baseball princess sunshine whatsapp indaba123 superman monkey12 dragon12 trustno1 asdfghjk zxcvbnm1 1q2w3e4r 1qaz2wsx".split(
    " ",
  ),
);

export type Strength = "short" | "common" | "weak" | "fair" | "strong";

/** How long a password would stand, in one word. */
export function strength(password: string, own: string[] = []): Strength {
  const low = password.toLowerCase();
  if (bytes.encode(password).length < 8) return "short";
  if (common.has(low) || /^(.)\1+$/.test(low)) return "common";
  if (own.some((word) => word.length > 3 && low.includes(word.toLowerCase()))) return "weak";
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^\w]/].filter((one) => one.test(password)).length;
  const value = new Set(low).size + password.length / 2 + kinds * 2;
  return value < 16 ? "weak" : value < 22 ? "fair" : "strong";
}
