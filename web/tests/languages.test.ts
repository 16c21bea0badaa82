import { afterEach, describe, expect, it, vi } from "vitest";
import { en } from "~/i18n/en";
import { problems } from "~/i18n/en/problems";
import { left, list, phone } from "~/i18n/format";
import { chooseLanguage, chosenLanguage, language, languages, speak } from "~/i18n/language";
import { fill, openLanguage, others, type Texts, t, told } from "~/i18n/t";

// What the compiler cannot see of a translation: values, strong words, the forms that a language really uses.

const source: Texts = { ...en, ...problems } as Texts;
const names = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort();
const tags = (text: string) => (text.match(/<\/?b>/g) ?? []).join("");
const translated = Object.entries(others);

describe.each(translated)("the texts in %s", async (code, open) => {
  const { texts } = (await open()) as { texts: Texts };
  const all = Object.entries(texts);

  it("are all there", () => {
    const missing = Object.keys(source).filter((key) => !(key in texts));
    expect(missing, `src/i18n/${code}/ lacks ${missing.join(", ")}`).toEqual([]);
  });

  it("have no key that English lacks", () => {
    expect(all.map(([key]) => key).filter((key) => !(key in source))).toEqual([]);
  });

  it("put in the same values, and stress as often", () => {
    const wrong = all.flatMap(([key, text]) => {
      const want = source[key as keyof Texts];
      if (want === undefined || text === undefined) return [];
      if (typeof text !== typeof want) return [`${key}: one is a plural, the other is not`];
      if (typeof text === "string")
        return String(names(text)) === String(names(want as string)) && tags(text) === tags(want as string)
          ? []
          : [`${key}: ${text}`];
      // A form for exactly one or two may leave the number out; the general one may not.
      const general = names((want as { other: string }).other);
      return String(names(text.other)) === String(general) &&
        Object.values(text).every((form) => names(String(form)).every((name) => general.includes(name)))
        ? []
        : [`${key}: ${text.other}`];
    });
    expect(wrong).toEqual([]);
  });

  it("have every plural form that the language uses", () => {
    const rules = new Intl.PluralRules(code);
    const forms = new Set(Array.from({ length: 1000 }, (_, n) => rules.select(n)));
    const wrong = all.filter(
      ([, text]) => typeof text === "object" && [...forms].some((form) => !text[form as keyof typeof text]),
    );
    expect(wrong.map(([key]) => key)).toEqual([]);
  });

  it("are not English that was left standing", () => {
    const same = all.filter(
      ([key, text]) =>
        typeof text === "string" && text === source[key as keyof Texts] && /\p{L}{3,} \p{L}{3,}/u.test(text),
    );
    // A name is a name everywhere.
    expect(
      same
        .filter(([key, text]) => key !== "auth.sampleBy" && !/^(Meta )?Cloud API$/.test(String(text)))
        .map(([key]) => key),
    ).toEqual([]);
  });
});

describe("the language of the page", () => {
  const { language: was, languages: wanted } = navigator;
  const browser = (...tags: string[]) => vi.spyOn(navigator, "languages", "get").mockReturnValue(tags);
  afterEach(async () => {
    vi.restoreAllMocks();
    chosenLanguage.set("");
    sessionStorage.clear();
    history.replaceState(null, "", "/");
    speak("en");
    language.locale = "en-GB";
    await openLanguage();
    expect([was, wanted]).toEqual([navigator.language, navigator.languages]);
  });

  it("is what the person chose, else what the browser asks for, else English", () => {
    browser("fi", "pt-MZ", "en");
    chooseLanguage();
    expect([language.code, language.locale, document.documentElement.lang]).toEqual(["pt", "pt-MZ", "pt-MZ"]);
    chosenLanguage.set("zu");
    chooseLanguage();
    expect([language.code, language.locale]).toEqual(["zu", "zu"]);
    chosenLanguage.set("");
    browser("fi");
    chooseLanguage();
    expect(language.code).toBe("en");
    history.replaceState(null, "", "/?lang=fr");
    chooseLanguage();
    expect(language.code).toBe("fr");
  });

  it("has the reader's own dates and figures, and the forms of its numbers", async () => {
    browser("ar-EG");
    chooseLanguage();
    await openLanguage();
    expect(document.documentElement.dir).toBe("rtl");
    expect([0, 1, 2, 3, 11, 100].map((n) => t("row.unread", { n }))).toEqual([
      "لا رسائل غير مقروءة",
      "رسالة غير مقروءة",
      "رسالتان غير مقروءتين",
      "٣ رسائل غير مقروءة",
      "١١ رسالة غير مقروءة",
      "١٠٠ رسالة غير مقروءة",
    ]);
    expect(left(83 * 60_000)).toContain("٢٣");
    expect(list(["Sales", "Rentals"])).toContain("وRentals");
    // A number and a name keep their own direction in a line from right to left.
    expect(phone("+27820000011")).toBe("\u2066+27 82 000 0011\u2069");
    expect(fill("{who}!", { who: "Naledi" })).toBe("\u2068Naledi\u2069!");
  });

  it("says problems by their type, and the server's own words where it has none", async () => {
    expect(told("problem.is.busy")).toBeUndefined();
    speak("af");
    await openLanguage();
    expect(told("problem.is.busy")).toMatch(/besig/);
    expect(told("problem.is.new-thing")).toBeUndefined();
    expect(told("toString")).toBeUndefined();
  });

  it("is one of those that the menu offers", () => {
    expect(languages.filter((one) => one !== "en").sort()).toEqual(translated.map(([code]) => code).sort());
  });
});
