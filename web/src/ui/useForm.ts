import { zodResolver } from "@hookform/resolvers/zod";
import { useCallback, useRef, useState } from "react";
import { type DefaultValues, type FieldPath, type FieldValues, useForm as useHookForm } from "react-hook-form";
import { config, type z } from "zod";
import { describe, Problem } from "~/api/problem";

// Zod tries whether it may compile its checks with `new Function`. It may not here: the content security policy says so, aloud.
config({ jitless: true });

/** A sentence of ours, or an error at one field, in place of the server's. */
export class Said extends Error {
  constructor(
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}

/** The field that the server points at: what stands inside an object of the body is a field of the form like any other. */
const fieldOf = (pointer: string): string => pointer.slice(pointer.lastIndexOf("/") + 1);

/**
 * A form: checked as the server checks it, its first error focused on submit, the server's field errors put at their
 * fields and the rest above the button.
 */
export function useForm<V extends FieldValues>(
  schema: z.ZodType<V, V>,
  defaultValues: DefaultValues<NoInfer<V>>,
  submit: (values: NoInfer<V>) => Promise<unknown>,
) {
  const form = useHookForm<V>({
    resolver: zodResolver(schema),
    defaultValues,
    shouldFocusError: true,
    // Not when a field is left: an error that appears then pushes down what the pointer is just pressing, and the click is lost.
    mode: "onSubmit",
  });
  const [problem, setProblem] = useState<string>();
  // A key may ask again before the page has seen that it is busy.
  const running = useRef(false);
  const { handleSubmit, setError, setFocus } = form;
  const onSubmit = useCallback(
    (event?: React.BaseSyntheticEvent) =>
      handleSubmit(async (values) => {
        if (running.current) return;
        running.current = true;
        setProblem(undefined);
        try {
          await submit(values);
        } catch (error) {
          if (error instanceof Said) {
            if (!error.field) return setProblem(error.message);
            setError(error.field as FieldPath<V>, { message: error.message });
            return setFocus(error.field as FieldPath<V>);
          }
          const fields = error instanceof Problem ? error.fields : [];
          const known = fields.filter(({ pointer }) => fieldOf(pointer) in values);
          for (const { pointer, detail } of known) setError(fieldOf(pointer) as FieldPath<V>, { message: detail });
          const first = known[0];
          if (first) setFocus(fieldOf(first.pointer) as FieldPath<V>);
          if (known.length < Math.max(1, fields.length)) setProblem(describe(error).detail);
        } finally {
          running.current = false;
        }
      })(event),
    [handleSubmit, submit, setError, setFocus],
  );
  const error = (name: FieldPath<V>): string | undefined => form.getFieldState(name, form.formState).error?.message;
  return {
    ...form,
    onSubmit,
    problem,
    setProblem,
    error,
    busy: form.formState.isSubmitting,
    dirty: form.formState.isDirty,
  };
}
