import type { Whole } from "../t";
import { app } from "./app";
import { compose } from "./compose";
import { inbox } from "./inbox";
import { numbers } from "./numbers";
import { problems } from "./problems";
import { quickReplies } from "./quickReplies";
import { settings } from "./settings";

/** The plural forms of this language. */
export type Form = "one" | "other";

export const texts: Whole<Form> = {
  ...app,
  ...quickReplies,
  ...compose,
  ...inbox,
  ...numbers,
  ...problems,
  ...settings,
};
