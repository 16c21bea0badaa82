declare module "virtual:emoji" {
  import type { Emoji } from "../scripts/emoji.ts";

  const groups: Emoji[][];
  export default groups;
}
