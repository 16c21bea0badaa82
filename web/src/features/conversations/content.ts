// What a message holds besides its words, in the neutral vocabulary of the providers. It comes from outside: nothing is
// taken for granted.

export interface Place {
  latitude: number;
  longitude: number;
  name?: string;
  address?: string;
}

export interface Card {
  name: string;
  phones: string[];
}

/** One side's whole present choice in a poll. */
export interface Vote {
  direction: "inbound" | "outbound";
  options: string[];
  at: string;
}

export interface Poll {
  question: string;
  options: string[];
  /** More than one may be chosen. */
  multiple: boolean;
  /** Those who have chosen something. */
  votes: Vote[];
}

export interface Call {
  video: boolean;
  missed: boolean;
  rejected: boolean;
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export function place(content: unknown): Place | undefined {
  const outer = record(content);
  const { latitude, longitude } = outer;
  if (typeof latitude !== "number" || typeof longitude !== "number") return undefined;
  const name = text(outer.name);
  const address = text(outer.address);
  return { latitude, longitude, ...(name && { name }), ...(address && { address }) };
}

export function cards(content: unknown): Card[] {
  return list(record(content).contacts).map((one) => {
    const card = record(one);
    const phones = list(card.phones).map((line) => text(record(line).whatsapp) ?? text(record(line).value));
    return { name: text(card.name) ?? "", phones: phones.filter((phone) => phone !== undefined) };
  });
}

export function poll(content: unknown): Poll | undefined {
  const outer = record(content);
  const question = text(outer.question);
  if (!question) return undefined;
  const votes = list(outer.votes).map((one): Vote => {
    const vote = record(one);
    const options = list(vote.options).flatMap((option) => text(option) ?? []);
    return { direction: vote.direction === "outbound" ? "outbound" : "inbound", options, at: text(vote.at) ?? "" };
  });
  return {
    question,
    options: list(outer.options).map((one) => text(one) ?? ""),
    multiple: outer.multiple === true,
    votes: votes.filter((vote) => vote.options.length > 0),
  };
}

export interface Preview {
  url: string;
  /** Where the link leads: what a page calls itself proves nothing. */
  host: string;
  title: string;
  description?: string;
  picture?: { id: string; width: number; height: number };
}

/** What the page says of itself that a text links to. */
export function preview(content: unknown): Preview | undefined {
  const shown = record(record(content).preview);
  const title = text(shown.title);
  const url = text(shown.url);
  if (!title || !url || !/^https?:/i.test(url) || !URL.canParse(url)) return undefined;
  const { id, width, height } = record(shown.picture);
  const description = text(shown.description);
  return {
    url,
    host: new URL(url).host,
    title,
    ...(description && { description }),
    ...(typeof id === "string" &&
      typeof width === "number" &&
      typeof height === "number" && { picture: { id, width, height } }),
  };
}

export function call(content: unknown): Call {
  const { video, state } = record(content);
  return { video: video === true, missed: state === "missed", rejected: state === "rejected" };
}

/** What the provider called a kind that we do not know. */
export const rawKind = (content: unknown): string | undefined => text(record(content).name);

/** Whether a message was passed on; more than five times is "often", as the phone says it. */
export function forwarded(content: unknown): "once" | "often" | undefined {
  const { forwarded: passed, oftenForwarded: often } = record(record(content).context);
  return often === true ? "often" : passed === true ? "once" : undefined;
}

export interface Basket {
  items: { name: string; quantity: number; price?: number }[];
  currency?: string;
  /** What it comes to, when every line has its price in one currency. */
  total?: number;
}

export function basket(content: unknown): Basket | undefined {
  const lines = list(record(content).items).map(record);
  if (lines.length === 0) return undefined;
  const items = lines.map((one) => ({
    name: text(one.name) ?? text(one.id) ?? "",
    quantity: typeof one.quantity === "number" ? one.quantity : 1,
    ...(typeof one.price === "number" && { price: one.price }),
  }));
  const currencies = new Set(lines.map((one) => text(one.currency)));
  const [currency] = currencies;
  if (!currency || currencies.size > 1 || items.some((one) => one.price === undefined)) return { items };
  return { items, currency, total: items.reduce((sum, one) => sum + one.quantity * (one.price ?? 0), 0) };
}

/** What a message offers to choose from: its buttons, or the rows behind one. */
export const choices = (content: unknown): string[] =>
  list(record(content).buttons).flatMap((one) => text(record(one).title) ?? []);

/** The line below a chosen row. */
export const below = (content: unknown): string | undefined => text(record(content).description);
