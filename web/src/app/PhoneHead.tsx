import type { ReactNode } from "react";
import { Cloth } from "~/ui/Cloth";
import { Mark } from "~/ui/Mark";
import { UserMenu } from "./UserMenu";

/** The cloth at the head of the root pages, on a phone. */
export function PhoneHead({ title, actions, children }: { title: string; actions?: ReactNode; children?: ReactNode }) {
  return (
    <header className="rail relative shrink-0 overflow-hidden bg-rail px-4 pt-3 pb-3 text-rail-strong">
      <Cloth className="pointer-events-none absolute -end-25 -top-27.5 size-65 text-rail-dot" />
      <div className="relative flex items-center gap-2.5">
        <Mark size={28} />
        <h1 className="min-w-0 flex-1 truncate text-18 font-strong">{title}</h1>
        {actions}
        <UserMenu phone />
      </div>
      {children && <div className="relative mt-2.5 flex">{children}</div>}
    </header>
  );
}
