import { en } from "./en";
import type { problems } from "./en/problems";
import { type Language, language, speak } from "./language";
import { pseudo } from "./pseudo";

/** All the texts of the screen. English is the source: a key that it lacks does not compile. */
export type Catalogue = typeof en;
export type Key = keyof Catalogue;

/** A text that depends on a number `n`. The forms are those of `Intl.PluralRules`. */
export type Plural = { readonly one: string; readonly other: string };
type Forms = { readonly [Form in Intl.LDMLPluralRule]?: string } & { readonly other: string };

/**
 * The texts of another language: `Source` is a part of the English ones, `Form` the plural forms that the language has.
 * A key that is missing, or one that English does not have, does not compile.
 */
export type Translated<Source, Form extends Intl.LDMLPluralRule> = {
  readonly [K in keyof Source]: Source[K] extends Plural ? { readonly [F in Form]: string } : string;
};

type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type Source<E> = E extends Plural ? E["other"] | E["one"] | "{n}" : E;
export type Values = Record<string, string | number>;

/** What a text asks for: nothing, or one value for each name in braces. */
export type Args<K extends Key> = [Names<Source<Catalogue[K]>>] extends [never]
  ? []
  : [values: { [Name in Names<Source<Catalogue[K]>>]: string | number }];

/** The keys whose texts need no values: what a table of labels may name. */
export type PlainKey = { [K in Key]: Args<K> extends [] ? K : never }[Key];

export type Texts = { readonly [K in Key]: string | Forms };

/** What only the other languages say themselves: the server's problems, which come in English. */
type Problems = typeof problems;
/** All that another language has. */
export type Whole<Form extends Intl.LDMLPluralRule> = Translated<Catalogue & Problems, Form>;

/** Every language but English, which is here already, comes when it is wanted. */
export const others: Record<
  Exclude<Language, "en">,
  () => Promise<{ texts: Texts & { readonly [K in keyof Problems]?: string } }>
> = {
  af: () => import("./af"),
  zu: () => import("./zu"),
  pt: () => import("./pt"),
  es: () => import("./es"),
  fr: () => import("./fr"),
  ar: () => import("./ar"),
};

let texts: Texts & { readonly [name: string]: unknown } = en;

/** Fetches the texts of the page's language; to be awaited before anything is drawn. Without them, the page is in English. */
export async function openLanguage(): Promise<void> {
  try {
    texts = language.code === "en" ? en : (await others[language.code]()).texts;
  } catch {
    texts = en;
    speak("en");
  }
}

/** What this language says of a problem; nothing in English, and nothing of one that it does not know. */
export function told(problem: string): string | undefined {
  const text = Object.hasOwn(texts, problem) ? texts[problem] : undefined;
  return typeof text === "string" ? text : undefined;
}

let made: { locale: string; numbers: Intl.NumberFormat; plurals: Intl.PluralRules } | undefined;
function rules() {
  const { locale } = language;
  if (made?.locale !== locale)
    made = { locale, numbers: new Intl.NumberFormat(locale), plurals: new Intl.PluralRules(locale) };
  return made;
}

/** The template of a text in the language of this page, before its values are put in. */
export function template(key: Key, values: Values = {}): string {
  const entry = texts[key];
  const text = typeof entry === "string" ? entry : (entry[rules().plurals.select(Number(values.n))] ?? entry.other);
  return language.pseudo ? pseudo(text) : text;
}

/** Puts values in. Where the page runs from right to left, a name or a number written the other way keeps its own direction. */
export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (typeof value === "number") return rules().numbers.format(value);
    return language.rtl ? `\u2068${value}\u2069` : value;
  });
}

/** The text of `key` with its values put in; numbers are written as the language writes them. */
export function t<K extends Key>(key: K, ...[values]: Args<K>): string {
  return fill(template(key, values), values ?? {});
}
