import { CircleAlert, Eye, EyeOff } from "lucide-react";
import { type ComponentProps, type ReactNode, useId, useState } from "react";
import { t } from "~/i18n/t";
import { cn } from "./cn";

const edge =
  "rounded-control border border-control bg-raised text-text placeholder:text-muted focus:outline-2 focus:-outline-offset-1 focus:outline-focus focus-visible:-outline-offset-1 disabled:bg-well disabled:text-muted aria-invalid:border-danger aria-invalid:shadow-[inset_0_0_0_1px_var(--danger)] pointer-coarse:min-h-11";

export const inputLook = `${edge} h-9 w-full px-3`;
/** For toolbars and rows; its width is the caller's. */
export const inputDense = `${edge} h-8 px-2.5 text-13`;

interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  /** Stands at the end of the label's line. */
  aside?: ReactNode;
  children: (wiring: {
    id: string;
    "aria-invalid": true | undefined;
    "aria-describedby": string | undefined;
  }) => ReactNode;
  className?: string;
}

/** Label above, hint below, and an error in words in place of the hint. */
export function Field({ label, hint, error, aside, children, className }: FieldProps) {
  const id = useId();
  const note = error || hint ? `${id}-note` : undefined;
  return (
    <div className={className}>
      <div className="mb-1.5 flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="text-13 font-medium">
          {label}
        </label>
        {aside}
      </div>
      {children({ id, "aria-invalid": error ? true : undefined, "aria-describedby": note })}
      {error ? (
        <p id={note} className="mt-1.5 flex items-start gap-1.5 text-12 text-danger" role="alert">
          <CircleAlert size={14} className="mt-px shrink-0" aria-hidden />
          {error}
        </p>
      ) : (
        hint && (
          <p id={note} className="mt-1.5 text-12 text-muted">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

type Shared = Omit<FieldProps, "children" | "className">;

export function TextField({ label, hint, error, aside, className, ...input }: Shared & ComponentProps<"input">) {
  return (
    <Field label={label} hint={hint} error={error} aside={aside}>
      {(wiring) => <input {...input} {...wiring} className={cn(inputLook, className)} />}
    </Field>
  );
}

export function PasswordField({ label, hint, error, aside, className, ...input }: Shared & ComponentProps<"input">) {
  const [shown, show] = useState(false);
  const name = shown ? t("field.hidePassword") : t("field.showPassword");
  return (
    <Field label={label} hint={hint} error={error} aside={aside}>
      {(wiring) => (
        <div className="relative">
          <input
            {...input}
            {...wiring}
            type={shown ? "text" : "password"}
            className={cn(inputLook, "pe-11", className)}
          />
          <button
            type="button"
            aria-label={name}
            aria-pressed={shown}
            onClick={() => show(!shown)}
            className="absolute inset-y-0 end-0 grid w-11 place-items-center rounded-control text-muted hover:text-text"
          >
            {shown ? <EyeOff size={18} aria-hidden /> : <Eye size={18} aria-hidden />}
          </button>
        </div>
      )}
    </Field>
  );
}

export function SelectField({
  label,
  hint,
  error,
  aside,
  className,
  children,
  ...select
}: Shared & ComponentProps<"select">) {
  return (
    <Field label={label} hint={hint} error={error} aside={aside}>
      {(wiring) => (
        <select {...select} {...wiring} className={cn(inputLook, className)}>
          {children}
        </select>
      )}
    </Field>
  );
}
