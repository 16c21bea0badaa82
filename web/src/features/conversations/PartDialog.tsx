import type { ReactNode } from "react";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import type { Part } from "./outbox";

interface Props {
  title: string;
  text?: string | undefined;
  /** What goes out; nothing while something is missing or wrong. */
  part: Part | undefined;
  /** What the button says. */
  send: string;
  disabled?: boolean;
  /** Something was typed. */
  dirty: boolean;
  /** Somebody wants to send: from now on what is missing is said, too. */
  onTry: () => void;
  onSend: (part: Part) => void;
  onClose: () => void;
  /** Of the dialog `<testId>-dialog` and its button `<testId>-send`. */
  testId: string;
  children: ReactNode;
}

/** The window in which a message without words is made. It goes out, or the first field that is wrong has the focus. */
export function PartDialog({
  title,
  text,
  part,
  send,
  disabled,
  dirty,
  onTry,
  onSend,
  onClose,
  testId,
  children,
}: Props) {
  return (
    <Dialog open dirty={dirty} onClose={onClose} title={title} text={text} testId={`${testId}-dialog`}>
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          onTry();
          if (part) return onSend(part);
          const form = event.currentTarget;
          requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
        }}
      >
        {children}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t("dialog.cancel")}</Button>
          <Button type="submit" look="filled" disabled={disabled ?? false} data-testid={`${testId}-send`}>
            {send}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
