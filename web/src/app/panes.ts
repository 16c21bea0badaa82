import { isBoolean, isNumber, remembered } from "~/ui/store";

// The shape of the page, remembered on this device.
export const listWidth = remembered("pane.list", 320, isNumber);
export const contactWidth = remembered("pane.contact", 292, isNumber);
export const contactOpen = remembered("pane.contactOpen", true, isBoolean);

type Rail = "wide" | "tight" | "auto";
const isRail = (value: unknown): value is Rail => value === "wide" || value === "tight" || value === "auto";
/** `auto`, until somebody chooses: narrow in the inbox, where room is scarce. */
export const rail = remembered<Rail>("rail", "auto", isRail);
