import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef, useState } from "react";
import { t } from "~/i18n/t";
import { Button } from "./Button";
import { cn } from "./cn";
import { TextField } from "./Field";
import { IconButton } from "./IconButton";
import { useUnsaved } from "./useUnsaved";

interface Props {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  /** The consequence, in a sentence. */
  text?: ReactNode;
  wide?: boolean;
  /** Something was typed that is lost when this closes: a press outside, Escape, the cross and every way out of it ask first. */
  dirty?: boolean;
  /** What Ctrl/Cmd+S does with it. */
  save?: (() => void) | undefined;
  children?: ReactNode;
  /** Keep and act, at the end. */
  actions?: ReactNode;
  testId?: string;
}

/** A window over the page; on a phone a sheet from below. Focus goes back to what opened it. */
export function Dialog({ open, onClose, title, text, wide, dirty, save, children, actions, testId }: Props) {
  const opener = useRef<Element>(null);
  const was = useRef(false);
  // Now: a field in it that asks for the focus has it before anybody is told.
  if (open && !was.current) opener.current = document.activeElement;
  was.current = open;
  useUnsaved(open && !!dirty, save, true);
  const leave = () => {
    if (!dirty || window.confirm(t("form.leave"))) onClose();
  };
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && leave()}>
      <Radix.Portal>
        <Radix.Overlay className="appear-slow fixed inset-0 z-40 bg-scrim" />
        <Radix.Content
          data-testid={testId}
          // Not the close button: its tip would be the first thing read. A field that asks for focus keeps it.
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            (event.target as HTMLElement | null)?.focus();
          }}
          // Radix gives it back to a trigger, and there is none here. Where the focus is elsewhere already, it is wanted there.
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (document.activeElement !== document.body) return;
            if (opener.current instanceof HTMLElement && opener.current.isConnected) opener.current.focus();
          }}
          {...(text ? {} : { "aria-describedby": undefined })}
          className={cn(
            "appear-slow fixed z-40 flex max-h-[calc(100dvh-32px)] flex-col overflow-y-auto border border-border bg-raised shadow-dialog outline-none",
            "max-phone:inset-x-0 max-phone:bottom-0 max-phone:rounded-t-dialog max-phone:pb-[env(safe-area-inset-bottom)]",
            "phone:start-1/2 phone:top-1/2 phone:w-[calc(100vw-32px)] phone:-translate-x-1/2 phone:-translate-y-1/2 phone:rounded-dialog rtl:phone:translate-x-1/2",
            wide ? "phone:max-w-210" : "phone:max-w-120",
          )}
        >
          <div className="flex items-start gap-3 px-5 pt-5 phone:px-6">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-18 font-strong break-words">{title}</Radix.Title>
              {text && <Radix.Description className="mt-0.5 text-13 text-muted">{text}</Radix.Description>}
            </div>
            <IconButton
              label={t("dialog.close")}
              icon={<X size={18} />}
              onClick={leave}
              tip={false}
              className="-me-2 -mt-1"
            />
          </div>
          <div className="px-5 pt-4 pb-5 phone:px-6 phone:pb-6">
            {children}
            {actions && <div className="mt-5 flex flex-wrap justify-end gap-2">{actions}</div>}
          </div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  text: ReactNode;
  keep: string;
  act: string;
  busy?: string | false;
  danger?: boolean;
  /** What must be typed before the last button works. */
  typed?: string;
  onAct: () => void;
}

/** Asks before something that cannot be taken back: names the object and the consequence. */
export function Confirm({ open, onClose, title, text, keep, act, busy, danger = true, typed, onAct }: ConfirmProps) {
  const [word, type] = useState("");
  const ready = !typed || word.trim() === typed.trim();
  const close = () => {
    type("");
    onClose();
  };
  return (
    <Dialog open={open} onClose={close} title={title} text={text} testId="confirm">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) onAct();
        }}
      >
        {typed && (
          <TextField
            label={t("dialog.typeName", { name: typed })}
            value={word}
            onChange={(event) => type(event.target.value)}
            autoComplete="off"
            spellCheck={false}
            autoFocus
          />
        )}
        <div className="mt-5 flex flex-wrap justify-end gap-2">
          <Button onClick={close}>{keep}</Button>
          <Button type="submit" look={danger ? "danger" : "filled"} disabled={!ready} busy={busy ?? false}>
            {act}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
