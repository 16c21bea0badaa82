import { isBoolean, remembered } from "~/ui/store";

/** New messages of the open conversation are read aloud by a screen reader. */
export const aloud = remembered("aloud", true, isBoolean);

/** Enter sends and Shift+Enter breaks the line; otherwise Ctrl+Enter sends. */
export const enterSends = remembered("enterSends", true, isBoolean);
