import { isBoolean, remembered } from "~/ui/store";

/** New messages of the open conversation are read aloud by a screen reader. */
export const aloud = remembered("aloud", true, isBoolean);

/** Enter sends and Shift+Enter breaks the line; otherwise Ctrl+Enter sends. */
export const enterSends = remembered("enterSends", true, isBoolean);

/** The list shows more conversations and less of each. */
export const denseRows = remembered("denseRows", false, isBoolean);

/** How pictures go out: made light for the customer's data, or exactly as they are. */
export type Pictures = "standard" | "original";
export const pictures = remembered<Pictures>(
  "pictures",
  "standard",
  (value): value is Pictures => value === "standard" || value === "original",
);
