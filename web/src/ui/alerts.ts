import { isBoolean, remembered } from "./store";

// Of this device, not of the person: the counter's computer may ring, the laptop at home need not, and the browser's permission is its own.

/** A new message makes a sound. */
export const sound = remembered("alerts.sound", true, isBoolean);

/** A new message is shown by the system while nobody looks at the page. */
export const desktop = remembered("alerts.desktop", false, isBoolean);
