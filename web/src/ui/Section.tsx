import type { ReactNode } from "react";
import { cn } from "./cn";

/** A card of a settings page: what it is about, and the thing itself. */
export function Section({
  title,
  text,
  aside,
  flush,
  children,
}: {
  title: ReactNode;
  text?: ReactNode;
  aside?: ReactNode;
  flush?: boolean;
  children: ReactNode;
}) {
  return (
    <section className="mb-5 overflow-hidden rounded-card border border-border bg-raised shadow-card">
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2 px-4 pt-4 phone:px-5">
        <div className="min-w-0 flex-1 basis-60">
          <h2 className="text-16 font-strong">{title}</h2>
          {text && <p className="mt-0.5 max-w-[72ch] text-13 text-muted">{text}</p>}
        </div>
        {aside}
      </div>
      <div className={cn(flush ? "mt-3" : "px-4 pt-4 pb-5 phone:px-5")}>{children}</div>
    </section>
  );
}

/** A row of a list inside a section. */
export function Item({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <li
      className={cn(
        "flex flex-wrap items-center gap-x-3 gap-y-1.5 border-t border-border px-4 py-3 phone:px-5",
        className,
      )}
    >
      {children}
    </li>
  );
}
