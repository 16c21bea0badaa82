import { remembered } from "~/ui/store";

/** The languages there are, in the order of the menu. Each has a folder of its own beside this file. */
export const languages = ["en", "af", "zu", "pt", "es", "fr", "ar"] as const;
export type Language = (typeof languages)[number];

/** What each language calls itself: who looks for theirs need not read ours. */
export const ownName: Record<Language, string> = {
  en: "English",
  af: "Afrikaans",
  zu: "isiZulu",
  pt: "Português",
  es: "Español",
  fr: "Français",
  ar: "العربية",
};

const known = (value: unknown): value is Language => languages.includes(value as Language);

/** What the person chose on this device; nothing: as the browser asks. */
export const chosenLanguage = remembered<Language | "">(
  "language",
  "",
  (value): value is Language | "" => value === "" || known(value),
);

/** The languages that run from right to left. */
const rtl: readonly Language[] = ["ar"];

/** The language of this page. It does not change while the page is open: a switch loads it again. */
export const language: { code: Language; locale: string; rtl: boolean; pseudo: boolean } = {
  code: "en",
  locale: "en",
  rtl: false,
  pseudo: false,
};

const baseOf = (tag: string): string => tag.toLowerCase().split("-")[0] ?? "";

/** Makes `code` the page's language. Dates and numbers follow the reader's own kind of it: English of South Africa, Arabic of Egypt. */
export function speak(code: Language): void {
  language.code = code;
  language.locale = navigator.languages?.find((one) => baseOf(one) === code) ?? code;
  language.rtl = rtl.includes(code);
  document.documentElement.lang = language.locale;
  document.documentElement.dir = language.rtl ? "rtl" : "ltr";
}

/** Chooses: `?lang=` (kept for the tab; `pseudo` too, for tests), else the person's choice, else the browser's languages, else English. */
export function chooseLanguage(): void {
  let asked = new URLSearchParams(location.search).get("lang");
  try {
    if (asked) sessionStorage.setItem("indaba.lang", asked);
    asked ??= sessionStorage.getItem("indaba.lang");
  } catch {
    // Storage is blocked: the address alone counts.
  }
  language.pseudo = asked === "pseudo";
  const wishes = [asked, chosenLanguage.get(), ...(language.pseudo ? [] : (navigator.languages ?? []).map(baseOf))];
  speak(wishes.find(known) ?? "en");
}

/** The person wants another language: remembered, and the page loads again in it. */
export function switchLanguage(to: Language): void {
  chosenLanguage.set(to);
  try {
    sessionStorage.removeItem("indaba.lang");
  } catch {
    // Nothing was kept.
  }
  const here = new URL(location.href);
  here.searchParams.delete("lang");
  location.replace(here);
  if (here.hash || here.href === location.href) location.reload();
}

chooseLanguage();
