// Variables of a quick reply: `Good day {{contact.first_name|there}}`. They are filled in here, before anybody sends anything.

/** What a text may name, as the server checks it. */
export const variables = [
  "contact.name",
  "contact.first_name",
  "contact.phone",
  "user.name",
  "user.first_name",
  "number.name",
  "number.phone",
  "workspace.name",
] as const;

export type Variable = (typeof variables)[number];
/** What stands where a variable was; nothing where that is not known. */
export type Known = Partial<Record<Variable, string | null | undefined>>;

interface Who {
  name?: string | null | undefined;
  phone?: string | null | undefined;
}

const first = (name: string | null | undefined): string | undefined => name?.trim().split(/\s+/)[0];

/** What is known in a conversation. */
export const knownOf = (contact: Who, user: Who, number: Who, workspace: Who): Known => ({
  "contact.name": contact.name,
  "contact.first_name": first(contact.name),
  "contact.phone": contact.phone,
  "user.name": user.name,
  "user.first_name": first(user.name),
  "number.name": number.name,
  "number.phone": number.phone,
  "workspace.name": workspace.name,
});

/** The text with its variables filled in, and those of which nothing is known and for which nothing stands in. */
export function fill(text: string, known: Known): { text: string; missing: Variable[] } {
  const missing = new Set<Variable>();
  const filled = text.replace(
    /\{\{\s*([\w.]*)\s*(?:\|((?:(?!\}\}).)*))?\}\}/gs,
    (whole, name: string, instead?: string) => {
      if (!variables.includes(name as Variable)) return whole;
      const value = known[name as Variable]?.trim() || instead?.trim();
      if (!value) missing.add(name as Variable);
      return value ?? "";
    },
  );
  return { text: filled, missing: [...missing] };
}
