import { language } from "~/i18n/language";

/** Countries whose people we know to use it, first; then all others by name. The code is ISO 3166. */
const first = ["ZA", "NA", "BW", "LS", "SZ", "ZW", "MZ", "KE", "NG", "GH", "GB", "US"];
const rest =
  "AE AO AR AT AU BD BE BG BR CA CD CH CI CL CM CN CO CZ DE DK DZ EC EE EG ES ET FI FR GR HK HR HU ID IE IL IN IQ IS IT JM JO JP KR KW LB LK LT LU LV MA MG MU MW MX MY NL NO NP NZ OM PE PH PK PL PT PY QA RO RS RW SA SE SG SI SK SN TH TN TR TW TZ UA UG UY VE VN ZM".split(
    " ",
  );

export interface Country {
  code: string;
  name: string;
}

export function countries(): Country[] {
  const names = new Intl.DisplayNames(language.locale, { type: "region" });
  const named = (code: string) => ({ code, name: names.of(code) ?? code });
  return [...first.map(named), ...rest.map(named).sort((a, b) => a.name.localeCompare(b.name))];
}

const zones: Record<string, string> = {
  "Africa/Johannesburg": "ZA",
  "Africa/Windhoek": "NA",
  "Africa/Gaborone": "BW",
  "Africa/Maseru": "LS",
  "Africa/Mbabane": "SZ",
  "Africa/Harare": "ZW",
  "Africa/Maputo": "MZ",
  "Africa/Nairobi": "KE",
  "Africa/Lagos": "NG",
  "Africa/Accra": "GH",
  "Europe/London": "GB",
};

export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "Africa/Johannesburg";

/** The country this browser is probably in: from its time zone, else its language. */
export function guessCountry(): string {
  const byZone = zones[timeZone()];
  if (byZone) return byZone;
  if (timeZone().startsWith("America/")) return "US";
  const region = navigator.language?.split("-")[1]?.toUpperCase();
  return region && [...first, ...rest].includes(region) ? region : "ZA";
}

/** The time zone that goes with a country: the browser's own where it fits. */
export function zoneOf(country: string): string {
  if (zones[timeZone()] === country) return timeZone();
  return Object.keys(zones).find((zone) => zones[zone] === country) ?? timeZone();
}
