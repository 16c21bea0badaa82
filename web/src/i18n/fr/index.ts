import type { Whole } from "../t";

export const texts: Whole<"one" | "other"> = {};
