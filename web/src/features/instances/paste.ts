/** What Meta's pages show of a number, as far as it can be told apart in a text that was copied there. */
export interface Found {
  phoneNumberId?: string;
  wabaId?: string;
  appId?: string;
  accessToken?: string;
  appSecret?: string;
}

const labels: [keyof Found, RegExp][] = [
  ["phoneNumberId", /phone[\s_-]*number[\s_-]*id\W{0,20}(\d{6,32})/i],
  ["wabaId", /(?:whatsapp[\s_-]*business[\s_-]*account|waba)[\s_-]*id\W{0,20}(\d{6,32})/i],
  ["appId", /app[\s_-]*id\W{0,20}(\d{6,32})/i],
  ["appSecret", /app[\s_-]*secret\W{0,20}([0-9a-f]{32})\b/i],
  ["accessToken", /\b(EA[A-Za-z0-9]{30,})/],
];

/** Reads a copied text. A single value says nothing of what it is: it stays in the field it was pasted into. */
export function read(text: string): Found {
  const found: Found = {};
  for (const [name, pattern] of labels) {
    const value = pattern.exec(text)?.[1];
    if (value) found[name] = value;
  }
  return text.trim().includes(" ") || text.trim().includes("\n") || Object.keys(found).length > 1 ? found : {};
}

const letters = "ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789";

/** A word that nobody guesses, for Meta to say in its handshake. */
export function randomWord(length = 32): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length * 2));
  // Bytes past the last whole alphabet would make the first letters likelier.
  const fair = [...bytes].filter((byte) => byte < 256 - (256 % letters.length));
  return fair
    .slice(0, length)
    .map((byte) => letters[byte % letters.length])
    .join("");
}
