import { forwardRef, useEffect, useImperativeHandle, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { useLocation } from "react-router";
import { Composer, type ComposerHandle, type ComposerProps } from "./Composer";
import { NoteForm } from "./NoteForm";
import { WritingTabs } from "./WritingTabs";

export interface WritingHandle extends ComposerHandle {
  /** Begins a note. */
  note(): void;
}

/** Below the thread: a reply, or a note. The reply waits behind the note with all that was put into it. */
export const Writing = forwardRef<WritingHandle, Omit<ComposerProps, "tabs"> & { notes: boolean }>(function Writing(
  { notes, ...rest },
  handle,
) {
  const [noting, setNoting] = useState(false);
  const composer = useRef<ComposerHandle>(null);
  const box = useRef<HTMLDivElement>(null);
  const reply = (act: (to: ComposerHandle) => void) => {
    flushSync(() => setNoting(false));
    if (composer.current) act(composer.current);
  };
  const note = () => {
    // What is being said is not hidden.
    if (composer.current?.recording()) return;
    flushSync(() => setNoting(true));
    box.current?.querySelector("textarea")?.focus();
  };
  useImperativeHandle(handle, () => ({
    recording: () => !!composer.current?.recording(),
    focus: () => reply((it) => it.focus()),
    put: (text) => reply((it) => it.put(text)),
    attach: (files) => reply((it) => it.attach(files)),
    note,
  }));
  const begins = !!useLocation().state?.write;
  useEffect(() => {
    if (begins) composer.current?.focus();
  }, [begins]);
  const tabs = notes && (
    <WritingTabs noting={noting} onNoting={(next) => (next ? note() : reply((it) => it.focus()))} />
  );
  return (
    <>
      <div hidden={noting} className="group/writing shrink-0">
        <Composer ref={composer} tabs={!noting && tabs} {...rest} />
      </div>
      {noting && (
        <div ref={box} className="shrink-0">
          <NoteForm conversation={rest.conversation} tabs={tabs} />
        </div>
      )}
    </>
  );
});
