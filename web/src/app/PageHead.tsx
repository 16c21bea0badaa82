import { ArrowLeft } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useNarrow } from "~/ui/useNarrow";
import { PhoneHead } from "./PhoneHead";

/** The head of a page: where we are, and what can be done here. On a phone it is the cloth; deeper in, a plain head with the way back. */
export function PageHead({
  title,
  crumb,
  back,
  actions,
}: {
  title: string;
  crumb?: ReactNode;
  /** The page above this one, for a phone. */
  back?: { to: string; name: string } | undefined;
  actions?: ReactNode;
}) {
  const phone = useNarrow();
  if (phone && back)
    return (
      <header className="flex h-15 shrink-0 items-center border-b border-border bg-surface ps-1 pe-4">
        <Link
          to={back.to}
          aria-label={back.name}
          className="grid size-11 shrink-0 place-items-center rounded-control text-muted"
        >
          <ArrowLeft size={20} aria-hidden className="rtl:-scale-x-100" />
        </Link>
        <h1 className="truncate text-18 font-strong">{title}</h1>
        {actions && <div className="ms-auto flex shrink-0 items-center gap-2">{actions}</div>}
      </header>
    );
  if (phone)
    return (
      <PhoneHead title={title}>
        {actions && <div className="flex w-full flex-wrap gap-2 [&>*]:flex-1">{actions}</div>}
      </PhoneHead>
    );
  return (
    <header className="flex h-14 shrink-0 items-center gap-3 border-b border-border bg-surface px-6">
      {crumb}
      <h1 className="truncate text-18 font-strong">{title}</h1>
      <div className="ms-auto flex shrink-0 items-center gap-2">{actions}</div>
    </header>
  );
}
