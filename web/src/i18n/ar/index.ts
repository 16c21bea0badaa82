import type { Whole } from "../t";

export const texts: Whole<"zero" | "one" | "two" | "few" | "many" | "other"> = {};
