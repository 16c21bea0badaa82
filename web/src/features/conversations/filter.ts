import type { Conversation } from "~/api/types";

export type View = "mine" | "unassigned" | "all" | "unread" | "us" | "them" | "resolved";
export type Sort = "newest" | "oldest" | "waiting" | "unread" | "window";

/** What the list shows. It lives in the address, so that a link, a reload and the back button keep it. */
export interface Filter {
  view: View;
  sort: Sort;
  instanceId?: string | undefined;
  label?: string | undefined;
}

export const views: readonly View[] = ["mine", "unassigned", "all", "unread", "us", "them", "resolved"];
export const sorts: readonly Sort[] = ["newest", "oldest", "waiting", "unread", "window"];

/** The change that shows every open conversation; the order stays. */
export const everything: Partial<Filter> = { view: "all", instanceId: undefined, label: undefined };

export const isNarrowed = ({ view, instanceId, label }: Filter): boolean => view !== "all" || !!instanceId || !!label;

export function readFilter(search: URLSearchParams): Filter {
  const view = search.get("view") as View;
  const sort = search.get("sort") as Sort;
  return {
    view: views.includes(view) ? view : "all",
    sort: sorts.includes(sort) ? sort : "newest",
    instanceId: search.get("number") ?? undefined,
    label: search.get("label") ?? undefined,
  };
}

/** The address of a filter; what is usual is left out. */
export function writeFilter(search: URLSearchParams, change: Partial<Filter>): URLSearchParams {
  const next = new URLSearchParams(search);
  const put = (name: string, value: string | undefined, usual?: string) => {
    if (value && value !== usual) next.set(name, value);
    else next.delete(name);
  };
  if ("view" in change) put("view", change.view, "all");
  if ("sort" in change) put("sort", change.sort, "newest");
  if ("instanceId" in change) put("number", change.instanceId);
  if ("label" in change) put("label", change.label);
  return next;
}

/** The same filter, as the server wants it asked. */
export function query({ view, sort, instanceId, label }: Filter) {
  return {
    state: view === "resolved" ? "closed" : "open",
    ...(view === "mine" && { assignee: "me" }),
    ...(view === "unassigned" && { assignee: "none" }),
    ...(view === "unread" && { unread: true }),
    ...((view === "us" || view === "them") && { waiting: view }),
    ...(instanceId && { instanceId }),
    ...(label && { label }),
    sort,
  } as const;
}

/** Does a conversation belong in a list? `listed`: it stands there now. What was just read stays in the unread list. */
export function matches(
  { view, instanceId, label }: Filter,
  one: Conversation,
  user: string,
  listed: boolean,
): boolean {
  if (instanceId && one.instanceId !== instanceId) return false;
  if (label && !one.labels.includes(label)) return false;
  if (one.state !== (view === "resolved" ? "closed" : "open")) return false;
  switch (view) {
    case "mine":
      return one.assignee?.id === user;
    case "unassigned":
      return !one.assignee;
    case "unread":
      return one.unreadCount > 0 || listed;
    case "us":
      return one.lastMessage?.direction === "inbound";
    case "them":
      return one.lastMessage?.direction === "outbound";
    default:
      return true;
  }
}

export const lastAt = (one: Conversation): string => one.lastMessage?.at ?? one.createdAt;

const newest = (a: Conversation, b: Conversation): number =>
  lastAt(b).localeCompare(lastAt(a)) || b.id.localeCompare(a.id);

/** Those that have such a time first, the earliest of them at the top; the others as usual. */
const soonest =
  (time: (one: Conversation) => string | null) =>
  (a: Conversation, b: Conversation): number => {
    const [first, second] = [time(a), time(b)];
    if (first && second) return first.localeCompare(second) || a.id.localeCompare(b.id);
    return Number(!first) - Number(!second) || newest(a, b);
  };

const openUntil = ({ windowEndsAt }: Conversation): string | null =>
  windowEndsAt && Date.parse(windowEndsAt) > Date.now() ? windowEndsAt : null;

const orders: Record<Sort, (a: Conversation, b: Conversation) => number> = {
  newest,
  oldest: (a, b) => -newest(a, b),
  unread: (a, b) => Number(b.unreadCount > 0) - Number(a.unreadCount > 0) || newest(a, b),
  waiting: soonest((one) => one.waitingSince),
  window: soonest(openUntil),
};

export const order = (sort: Sort) => orders[sort];
