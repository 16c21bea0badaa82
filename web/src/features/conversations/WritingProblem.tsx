import { CircleAlert, X } from "lucide-react";
import { t } from "~/i18n/t";

/** Over the field: what went wrong with what is being written. */
export function WritingProblem({ text, onHide }: { text: string; onHide?: () => void }) {
  return (
    <p role="alert" className="flex items-start gap-1.5 px-3.5 pt-2 text-12 text-danger">
      <CircleAlert size={14} className="mt-px shrink-0" aria-hidden />
      <span className="flex-1">{text}</span>
      {onHide && (
        <button type="button" aria-label={t("composer.hideProblem")} onClick={onHide}>
          <X size={14} aria-hidden />
        </button>
      )}
    </p>
  );
}
