import { t } from "~/i18n/t";
import { toast } from "./toast";

/** Puts a text on the clipboard, and says so. */
export function copy(text: string): void {
  void navigator.clipboard?.writeText(text).then(() => toast.success(t("toast.copied")));
}
