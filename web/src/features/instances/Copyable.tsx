import { Copy } from "lucide-react";
import { t } from "~/i18n/t";
import { copy } from "~/ui/copy";
import { IconButton } from "~/ui/IconButton";

/** A value to take elsewhere: what it is, the value, and a button that copies it. */
export function Copyable({ label, value, testId }: { label: string; value: string; testId?: string }) {
  return (
    <div>
      <div className="mb-1 text-13 font-medium">{label}</div>
      <div className="flex items-center gap-1 rounded-control border border-border bg-surface ps-3 pe-1">
        <code className="code min-w-0 flex-1 py-1.5 text-12 break-all" data-testid={testId}>
          {value}
        </code>
        <IconButton
          label={t("copy.value", { what: label })}
          icon={<Copy size={16} aria-hidden />}
          onClick={() => copy(value)}
        />
      </div>
    </div>
  );
}
