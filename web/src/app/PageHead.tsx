import type { ReactNode } from "react";
import { useNarrow } from "~/ui/useNarrow";
import { PhoneHead } from "./PhoneHead";

/** The head of a page: where we are, and what can be done here. On a phone it is the cloth. */
export function PageHead({ title, crumb, actions }: { title: string; crumb?: ReactNode; actions?: ReactNode }) {
  const phone = useNarrow();
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
