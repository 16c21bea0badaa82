import { en } from "./en";
import { language } from "./language";
import { pseudo } from "./pseudo";

/** All the texts of the screen. English is the source: a key that it lacks does not compile. */
export type Catalogue = typeof en;
export type Key = keyof Catalogue;

/** A text that depends on a number `n`. The forms are those of `Intl.PluralRules`. */
export type Plural = { readonly one: string; readonly other: string };

type Names<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type Source<E> = E extends Plural ? E["other"] | E["one"] | "{n}" : E;
export type Values = Record<string, string | number>;

/** What a text asks for: nothing, or one value for each name in braces. */
export type Args<K extends Key> = [Names<Source<Catalogue[K]>>] extends [never]
  ? []
  : [values: { [Name in Names<Source<Catalogue[K]>>]: string | number }];

/** The keys whose texts need no values: what a table of labels may name. */
export type PlainKey = { [K in Key]: Args<K> extends [] ? K : never }[Key];

const numbers = new Intl.NumberFormat(language.locale);
const plurals = new Intl.PluralRules(language.locale);

/** The template of a text in the language of this page, before its values are put in. */
export function template(key: Key, values: Values = {}): string {
  const entry: string | Plural = en[key];
  const text = typeof entry === "string" ? entry : plurals.select(Number(values.n)) === "one" ? entry.one : entry.other;
  return language.pseudo ? pseudo(text) : text;
}

export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? numbers.format(value) : value;
  });
}

/** The text of `key` with its values put in; numbers are written as the language writes them. */
export function t<K extends Key>(key: K, ...[values]: Args<K>): string {
  return fill(template(key, values), values ?? {});
}
