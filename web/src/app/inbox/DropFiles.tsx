import { type ReactNode, useState } from "react";

interface Props {
  /** What will happen, said while files hang over it. */
  label: string;
  /** Without it nothing can be dropped here. */
  onFiles: ((files: File[]) => void) | undefined;
  className: string;
  children: ReactNode;
}

/** A place to drop files on. */
export function DropFiles({ label, onFiles, className, children }: Props) {
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: who does not drag has the button that does the same
    <div
      className={className}
      onDragOver={(event) => {
        if (!onFiles || !event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node)) setOver(false);
      }}
      onDrop={(event) => {
        if (!onFiles || event.dataTransfer.files.length === 0) return;
        event.preventDefault();
        setOver(false);
        onFiles([...event.dataTransfer.files]);
      }}
    >
      {children}
      {over && (
        <div className="appear pointer-events-none absolute inset-2 z-30 grid place-items-center rounded-card border-2 border-dashed border-primary bg-surface/90 text-16 font-strong text-link">
          {label}
        </div>
      )}
    </div>
  );
}
