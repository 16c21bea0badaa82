import { language } from "./language";
import { t } from "./t";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const cache = new Map<string, Intl.DateTimeFormat>();
function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language.locale + JSON.stringify(options);
  let format = cache.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language.locale, options);
    cache.set(key, format);
  }
  return format;
}

/** The hour, as the reader's locale writes it: "14:02" or "2:02 pm". */
export const clock = (at: string | number): string =>
  dates({ hour: "2-digit", minute: "2-digit" }).format(new Date(at));

/** Day and hour in full, for titles, details and exports. */
export const moment = (at: string | number): string =>
  dates({ dateStyle: "medium", timeStyle: "short" }).format(new Date(at));

export const day = (at: string | number): string => dates({ dateStyle: "medium" }).format(new Date(at));

function startOfDay(at: number): number {
  const date = new Date(at);
  return date.setHours(0, 0, 0, 0);
}

/** How many midnights lie between two moments, in the reader's time zone. */
export function daysApart(then: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(then)) / DAY);
}

/** A time for a list: short and relative, exact where that says more. `now` is handed in, so that it can be tested. */
export function ago(at: string, now: number): string {
  const then = Date.parse(at);
  const passed = now - then;
  if (passed < MINUTE) return t("time.now");
  if (passed < HOUR) return t("time.minutes", { n: Math.floor(passed / MINUTE) });
  const days = daysApart(then, now);
  if (days <= 0) return passed < 4 * HOUR ? t("time.hours", { n: Math.floor(passed / HOUR) }) : clock(at);
  if (days === 1) return t("time.yesterday");
  if (days < 7) return dates({ weekday: "short" }).format(then);
  const sameYear = new Date(then).getFullYear() === new Date(now).getFullYear();
  return dates(
    sameYear ? { day: "numeric", month: "short" } : { day: "numeric", month: "short", year: "numeric" },
  ).format(then);
}

/** The heading of a day in a thread: "Today", "Yesterday", "Monday 3 November". */
export function dayName(at: number, now: number): string {
  const days = daysApart(at, now);
  if (days === 0) return t("time.today");
  if (days === 1) return t("time.yesterday");
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return dates(
    sameYear
      ? { weekday: "long", day: "numeric", month: "long" }
      : { weekday: "long", day: "numeric", month: "long", year: "numeric" },
  ).format(at);
}

/** Two digits of the language: "07". */
const two = (n: number): string => new Intl.NumberFormat(language.locale, { minimumIntegerDigits: 2 }).format(n);

/** A stretch of time still to come, in the two largest units: "23 h 58", "48 min". */
export function left(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / MINUTE));
  return minutes >= 60
    ? t("time.hoursMinutes", { h: Math.floor(minutes / 60), m: two(minutes % 60) })
    : t("time.minutes", { n: minutes });
}

/** The length of a recording: "0:42". */
export function length(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${number(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

export function size(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(language.locale, {
    style: "unit",
    unit: units[unit],
    // "720 byte" is nobody's plural.
    unitDisplay: unit === 0 ? "long" : "short",
    maximumFractionDigits: value < 10 && unit > 1 ? 1 : 0,
  }).format(value);
}

/** Names one after the other, as the language joins them: "Sales, Rentals and Support". */
export const list = (names: string[]): string =>
  new Intl.ListFormat(language.locale, { type: "conjunction" }).format(names);

/** A phone number in groups. Only the countries our users meet daily are known; the rest keeps its digits in threes. */
export function phone(e164: string): string {
  const written = grouped(e164);
  // Its groups would change places where the page runs from right to left.
  return language.rtl ? `\u2066${written}\u2069` : written;
}

function grouped(e164: string): string {
  const rules: [RegExp, string][] = [
    [/^(\+27)(\d{2})(\d{3})(\d{4})$/, "$1 $2 $3 $4"],
    [/^(\+1)(\d{3})(\d{3})(\d{4})$/, "$1 $2 $3 $4"],
    [/^(\+44)(\d{4})(\d{6})$/, "$1 $2 $3"],
    [/^(\+2(?:5|6)\d)(\d{3})(\d{3})(\d{3})$/, "$1 $2 $3 $4"],
  ];
  for (const [rule, written] of rules) if (rule.test(e164)) return e164.replace(rule, written);
  return e164;
}

export const number = (n: number): string => new Intl.NumberFormat(language.locale).format(n);

/** A sum as the language writes it: "R 3 450". */
export function money(sum: number, currency: string): string {
  try {
    return new Intl.NumberFormat(language.locale, { style: "currency", currency }).format(sum);
  } catch {
    return `${currency} ${number(sum)}`;
  }
}
