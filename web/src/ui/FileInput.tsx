import type { ComponentProps } from "react";

interface Props extends Pick<ComponentProps<"input">, "ref" | "multiple"> {
  onFiles: (files: File[]) => void;
  testId: string;
}

/** Asks for files. Not seen: a button clicks it. */
export function FileInput({ onFiles, testId, ...rest }: Props) {
  return (
    <input
      {...rest}
      type="file"
      hidden
      aria-hidden="true"
      tabIndex={-1}
      data-testid={testId}
      onChange={(event) => {
        onFiles([...(event.target.files ?? [])]);
        // The same file again is a choice, too.
        event.target.value = "";
      }}
    />
  );
}
