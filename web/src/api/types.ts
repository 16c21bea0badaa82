import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Schemas["Session"] & { operator?: boolean };
export type Preferences = Schemas["Preferences"];
export type Role = Schemas["Role"];
export type Conversation = Schemas["Conversation"];
export type Label = Schemas["Label"];
export type Note = Schemas["Note"];
export type Message = Schemas["Message"];
export type MessageState = Message["state"];
export type NewMessage = Schemas["NewMessage"];
export type QuickReply = Schemas["QuickReply"];
export type NewQuickReply = Schemas["NewQuickReply"];
export type Author = Schemas["Author"];
export type Media = Schemas["Media"];
export type Contact = Schemas["Contact"];
export type Counts = Schemas["ConversationCounts"];
export type Instance = Schemas["Instance"];
export type Gateway = Schemas["Gateway"];
export type Code = Schemas["Code"];
export type SearchHit = Schemas["SearchResult"];
export type User = Schemas["User"];
export type Invitation = Schemas["Invitation"];
export type SignIn = Schemas["SignInView"];
export type ApiKey = Schemas["ApiKey"];
export type MadeApiKey = Schemas["MadeApiKey"];
export type AuditEntry = Schemas["AuditEntry"];
export type Job = Schemas["Job"];

/** One page of a list. `next` is the cursor of the page after it. */
export interface Page<T> {
  items: T[];
  next?: string | null;
}

const ranks: Record<Role, number> = { viewer: 0, agent: 1, manager: 2, admin: 3 };

/** Roles contain each other: what an agent may do, a manager may do too. */
export const may = (session: Session | undefined, role: Role): boolean =>
  !!session && ranks[session.role] >= ranks[role];
