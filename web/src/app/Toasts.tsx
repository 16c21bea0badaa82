import { Check, CircleAlert, X } from "lucide-react";
import { Toaster } from "sonner";
import "sonner/dist/styles.css";
import { t } from "~/i18n/t";

/** Results that happen out of sight: ink on paper turned round, five seconds, one line, with Undo where there is one. */
export default function Toasts() {
  return (
    <Toaster
      position="bottom-center"
      duration={5_000}
      closeButton
      // Above the composer, which stands at the bottom of the page that is used most.
      offset={{ bottom: 108 }}
      mobileOffset={{ bottom: 84 }}
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
          toast:
            "flex w-(--width) items-center gap-2.5 rounded-card bg-text px-3.5 py-2.5 text-13 text-background shadow-menu",
          content: "min-w-0 flex-1",
          actionButton: "order-2 shrink-0 font-strong underline underline-offset-3",
          closeButton: "order-3 grid size-6 shrink-0 place-items-center rounded-small",
        },
      }}
    />
  );
}
