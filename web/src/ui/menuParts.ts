// What draws menus: fetched apart, when a page has come to rest or a menu is about to be opened.
export { DropdownMenu as Parts } from "radix-ui";
