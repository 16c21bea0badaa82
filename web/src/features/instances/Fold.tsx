import { ChevronDown } from "lucide-react";
import type { ReactNode } from "react";

/** Something that is read once: folded until it is asked for. */
export function Fold({ title, children, testId }: { title: string; children: ReactNode; testId?: string }) {
  return (
    <details className="group rounded-card border border-border" data-testid={testId}>
      <summary className="press flex min-h-10 cursor-pointer list-none items-center justify-between gap-2 rounded-card px-3.5 text-13 font-medium text-link [&::-webkit-details-marker]:hidden">
        {title}
        <ChevronDown size={16} aria-hidden className="shrink-0 text-muted group-open:rotate-180" />
      </summary>
      <div className="border-t border-border">{children}</div>
    </details>
  );
}
