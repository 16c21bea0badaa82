// Where a place is, out of what people paste: coordinates, a link to a map, a `geo:` link. All of it is read here; nobody is asked.

export interface Spot {
  latitude: number;
  longitude: number;
  name?: string;
}

const NUMBER = String.raw`[+-]?\d{1,3}(?:\.\d+)?`;
const PAIR = new RegExp(String.raw`^\s*(${NUMBER})\s*[,;\s]\s*(${NUMBER})\s*$`);
/** 26°12'14.8"S 28°02'50.3"E, also without minutes or seconds. */
const SIDED = new RegExp(
  String.raw`^\s*(\d{1,3}(?:\.\d+)?)°?\s*(?:(\d{1,2}(?:\.\d+)?)['′’])?\s*(?:(\d{1,2}(?:\.\d+)?)["″”])?\s*([NS])[\s,;]*` +
    String.raw`(\d{1,3}(?:\.\d+)?)°?\s*(?:(\d{1,2}(?:\.\d+)?)['′’])?\s*(?:(\d{1,2}(?:\.\d+)?)["″”])?\s*([EW])\s*$`,
  "i",
);

function spot(latitude: number, longitude: number, name?: string): Spot | undefined {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  const label = name?.replace(/\s+/g, " ").trim().slice(0, 200);
  return { latitude, longitude, ...(label && !pair(label) && { name: label }) };
}

function pair(text: string | null | undefined, name?: string): Spot | undefined {
  const found = PAIR.exec(text ?? "");
  return found ? spot(Number(found[1]), Number(found[2]), name) : undefined;
}

function sided(text: string): Spot | undefined {
  const found = SIDED.exec(text);
  if (!found) return undefined;
  const degrees = (at: number) =>
    Number(found[at]) + Number(found[at + 1] ?? 0) / 60 + Number(found[at + 2] ?? 0) / 3600;
  const side = (at: number) => (/[SW]/i.test(found[at] ?? "") ? -1 : 1);
  const round = (value: number) => Math.round(value * 1e6) / 1e6;
  return spot(round(degrees(1) * side(4)), round(degrees(5) * side(8)));
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text.replace(/\+/g, " "));
  } catch {
    return undefined;
  }
}

/** RFC 5870, and what phones add to it: `geo:0,0?q=-26.2,28.05(The flat)`. */
function geo(link: string): Spot | undefined {
  const [, place = "", query = ""] = /^geo:([^?;]*)[^?]*\??(.*)$/i.exec(link) ?? [];
  const asked = /^([^(]*)(?:\((.*)\))?$/.exec(new URLSearchParams(query).get("q") ?? "");
  return pair(asked?.[1], asked?.[2]) ?? pair(place);
}

function link(text: string): Spot | undefined {
  let url: URL;
  try {
    url = new URL(/^[\w-]+(\.[\w-]+)+\//.test(text) ? `https://${text}` : text);
  } catch {
    return undefined;
  }
  if (!/^https?:$/.test(url.protocol)) return undefined;
  const query = url.searchParams;
  const named = decoded(/\/place\/([^/@]+)/.exec(url.pathname)?.[1]);
  // Google: the pin itself stands in `data`, the middle of the map after the @.
  const pin = new RegExp(`!3d(${NUMBER})!4d(${NUMBER})`).exec(url.href);
  const middle = new RegExp(`/@(${NUMBER}),(${NUMBER})`).exec(url.pathname);
  // OpenStreetMap: a marker in the query, else the middle of the map after the #.
  const shown = new RegExp(String.raw`map=\d+(?:\.\d+)?/(${NUMBER})/(${NUMBER})`).exec(url.hash);
  const at = (found: RegExpExecArray | null) => (found ? spot(Number(found[1]), Number(found[2]), named) : undefined);
  const marker = pair(`${query.get("mlat")},${query.get("mlon")}`);
  const search = decoded(/\/(?:search|place|dir\/[^/]*)\/([^/@]+)/.exec(url.pathname)?.[1]);
  const label = query.get("q") ?? undefined;
  return (
    at(pin) ??
    marker ??
    pair(query.get("query")) ??
    pair(query.get("destination")) ??
    pair(query.get("ll"), label) ??
    pair(query.get("coordinate"), query.get("name") ?? undefined) ??
    pair(label) ??
    pair(search) ??
    sided(search ?? "") ??
    at(middle) ??
    at(shown) ??
    pair(query.get("center"))
  );
}

/** The place that a text names, if it does. */
export function readPlace(text: string): Spot | undefined {
  const given = text.trim().slice(0, 2000);
  if (/^geo:/i.test(given)) return geo(given);
  return pair(given) ?? sided(given) ?? link(given);
}

/** A link that only its maker's server can read: it holds no coordinates. */
export const isShort = (text: string): boolean =>
  /^(https?:\/\/)?(maps\.app\.goo\.gl|goo\.gl\/maps|osm\.org\/go|maps\.apple(\.com)?\/p)\//i.test(text.trim());
