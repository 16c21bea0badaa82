import { Check, CircleAlert, X } from "lucide-react";
import type { CSSProperties } from "react";
import { Toaster } from "sonner";
import "sonner/dist/styles.css";
import { t } from "~/i18n/t";

/** Results that happen out of sight: ink on paper turned round, an error in red, with Undo where there is one. */
export default function Toasts() {
  return (
    <Toaster
      // Below the head of the page: what is newest, and where one writes, stand at the other end.
      position="top-center"
      duration={5_000}
      closeButton
      offset={{ top: 64 }}
      mobileOffset={{ top: 68 }}
      // No wider than fits over the thread.
      style={{ fontFamily: "var(--font)", "--width": "300px" } as CSSProperties}
      containerAriaLabel={t("toast.region")}
      icons={{
        success: <Check size={16} aria-hidden />,
        error: <CircleAlert size={16} aria-hidden />,
        close: <X size={16} aria-hidden />,
      }}
      toastOptions={{
        unstyled: true,
        closeButtonAriaLabel: t("toast.close"),
        classNames: {
          toast: "flex w-(--width) items-center gap-2.5 rounded-card px-3.5 py-2.5 text-13 shadow-menu",
          default: "bg-text text-background",
          success: "bg-text text-background",
          error: "bg-danger text-on-danger",
          content: "min-w-0 flex-1",
          actionButton: "order-2 shrink-0 font-strong underline underline-offset-3",
          closeButton: "order-3 grid size-6 shrink-0 place-items-center rounded-small",
        },
      }}
    />
  );
}
