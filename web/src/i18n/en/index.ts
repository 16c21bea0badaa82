import { app } from "./app";
import { compose } from "./compose";
import { inbox } from "./inbox";
import { numbers } from "./numbers";
import { quickReplies } from "./quickReplies";
import { settings } from "./settings";

/** English, the source of all languages. `{name}` is a value, `<b>` strong words; a text with `one` and `other` is chosen by `n`. */
export const en = { ...app, ...quickReplies, ...compose, ...inbox, ...numbers, ...settings } as const;
