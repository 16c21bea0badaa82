import { CircleAlert } from "lucide-react";

/** What the server would not do, above the button. */
export function FormProblem({ text }: { text: string | undefined }) {
  if (!text) return null;
  return (
    <p
      role="alert"
      data-testid="form-problem"
      className="flex items-start gap-2 rounded-control bg-danger-tint px-3 py-2.5 text-13 text-danger"
    >
      <CircleAlert size={16} className="mt-px shrink-0" aria-hidden />
      {text}
    </p>
  );
}
