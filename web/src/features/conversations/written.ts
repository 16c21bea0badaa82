import { useRef, useState } from "react";
import type { QuickReply } from "~/api/types";
import { useLeaveWarning } from "~/ui/leaving";
import { type Attached, asChosen, ofQuickReply } from "./Attachments";
import { drafts, useDraft } from "./drafts";
import { CAPTION_LIMIT, lengthOf, TEXT_LIMIT } from "./limits";
import { outbox } from "./outbox";
import { pictures } from "./settings";

/** What is being written to a customer: a text, or files of which the chosen one's caption is written. */
export function useWritten(conversation: string) {
  const [text, setText] = useDraft(conversation);
  const [files, setFiles] = useState<Attached[]>([]);
  const [chosen, choose] = useState(0);
  /** The quick reply that the words came from. */
  const [used, use] = useState<string>();
  // Files cannot be kept.
  useLeaveWarning(files.length > 0);
  const now = useRef({ text, files });
  now.current = { text, files };

  const file = files[chosen];
  const words = file ? file.caption : text;
  const limit = file ? CAPTION_LIMIT : TEXT_LIMIT;
  const over = lengthOf(words) > limit || files.some((one) => lengthOf(one.caption) > CAPTION_LIMIT);
  const ready = !over && (files.length > 0 || text.trim() !== "");

  function write(next: string) {
    if (!next) use(undefined);
    if (file) setFiles(files.map((one) => (one === file ? { ...one, caption: next } : one)));
    else setText(next);
  }

  /** Files may take a moment until they are ready: they come to what is written by then. */
  function add([first, ...more]: Attached[]) {
    if (!first) return;
    const before = now.current;
    // The words typed so far become the caption of the first file.
    const takes = before.files.length === 0 && before.text;
    if (takes) setText("");
    setFiles([...before.files, takes ? { ...first, caption: before.text } : first, ...more]);
  }

  function drop(at: number) {
    const gone = files[at];
    const rest = files.filter((one) => one !== gone);
    if (gone?.preview) URL.revokeObjectURL(gone.preview);
    if (rest.length === 0 && gone?.caption) setText(gone.caption);
    setFiles(rest);
    choose(Math.max(0, Math.min(chosen, rest.length - 1)));
  }

  /** A quick reply was chosen; `next` are the words with it. Its file takes them as its caption. */
  function takeQuickReply({ id, media }: QuickReply, next: string) {
    write(next);
    use(id);
    if (!media) return;
    setFiles((before) => [...before, ofQuickReply(media, file ? "" : next)]);
    if (!file) setText("");
  }

  function send(replyTo: string | undefined) {
    if (files.length === 0)
      outbox.add({ conversationId: conversation, kind: "text", body: text.trim(), replyTo, quickReplyId: used });
    for (const [at, one] of files.map((each) => asChosen(each, pictures.get())).entries())
      outbox.add({
        conversationId: conversation,
        kind: one.kind,
        body: one.caption.trim(),
        file: one.file,
        preview: one.preview,
        mediaId: one.mediaId,
        replyTo: at === 0 ? replyTo : undefined,
        quickReplyId: at === 0 ? used : undefined,
      });
    use(undefined);
    setFiles([]);
    choose(0);
    setText("");
    drafts.put(conversation, "");
  }

  return {
    words,
    limit,
    over,
    ready,
    write,
    /** Puts a text in, to be edited and sent. */
    put: setText,
    file,
    files,
    chosen,
    choose,
    order: setFiles,
    add,
    drop,
    takeQuickReply,
    send,
  };
}
