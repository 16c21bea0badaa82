import { CircleAlert, CornerUpLeft, Mic, SendHorizontal, Smile, X } from "lucide-react";
import {
  type ClipboardEvent,
  type ComponentType,
  forwardRef,
  type ReactNode,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Conversation, Instance, Message, QuickReply } from "~/api/types";
import { kindOf, limits } from "~/api/upload";
import { number } from "~/i18n/format";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { IconButton } from "~/ui/IconButton";
import { part } from "~/ui/part";
import { useNarrow } from "~/ui/useNarrow";
import { AttachMenu, type PartKind } from "./AttachMenu";
import { type Attached, asChosen, attach, PictureSize, Tray } from "./Attachments";
import { drafts } from "./drafts";
import { plain } from "./format";
import { kindName } from "./kinds";
import { mark } from "./mark";
import { outbox, type Part } from "./outbox";
import { enterSends, pictures } from "./settings";

const EmojiPicker = part(() => import("./EmojiPicker"));
const Recorder = part(() => import("./Recorder"));
const PollDialog = part(() => import("./PollDialog"));
const LocationDialog = part(() => import("./LocationDialog"));

const TEXT_LIMIT = 4096;
const CAPTION_LIMIT = 1024;
/** Very long for a chat; said, not forbidden. */
const LONG = 1500;
const SAVE_AFTER = 400;

export interface ComposerProps {
  conversation: Conversation;
  replyTo: Message | undefined;
  onReplyTo: (message: Message | undefined) => void;
  onTyping: (on: boolean) => void;
  /** What the number can do, once that is known. */
  can: Instance["capabilities"] | undefined;
  /** Chooses contact cards to send. */
  Cards: ComponentType<{ onClose: () => void; onSend: (part: Part) => void }>;
  /** Chooses a quick reply. It may be on its way for a while; then it takes over what was typed behind the /. */
  quick: (props: {
    begun: string;
    onShown: () => void;
    onPick: (reply: QuickReply, text: string) => void;
    /** `typed` is what was searched for when it was left. */
    onClose: (typed?: string) => void;
  }) => ReactNode;
  /** The field was entered: what it may need can be fetched. */
  onFocus?: () => void;
  /** Why nothing can be written, in words; the composer then only says so. */
  closed?: string | undefined;
  /** Stands over what is written: whether it is a reply or a note. */
  tabs?: ReactNode;
}

export interface ComposerHandle {
  focus(): void;
  /** Puts a text in, to be edited and sent. */
  put(text: string): void;
  attach(files: File[]): void;
  /** Whether a voice note is being recorded. */
  recording(): boolean;
}

/** What goes out: words, files with captions, a voice note. Never loses what was typed. */
export const Composer = forwardRef<ComposerHandle, ComposerProps>(function Composer(
  { conversation, replyTo, onReplyTo, onTyping, can, Cards, quick, onFocus, closed, tabs },
  handle,
) {
  const { id, contact } = conversation;
  const phone = useNarrow();
  const onEnter = enterSends.use();
  const [text, setText] = useState(() => drafts.get(id));
  const [files, setFiles] = useState<Attached[]>([]);
  const [chosen, choose] = useState(0);
  const [picking, pick] = useState(false);
  const [recording, record] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [making, make] = useState<PartKind>();
  /** What opened the quick replies; `awaited`: the key did, and they are on their way. */
  const [quickly, open] = useState<"awaited" | "key" | "menu">();
  /** The quick reply that the words came from. */
  const [used, use] = useState<string>();
  const area = useRef<HTMLTextAreaElement>(null);
  const input = useRef<HTMLInputElement>(null);

  const file = files[chosen];
  const words = file ? file.caption : text;
  const limit = file ? CAPTION_LIMIT : TEXT_LIMIT;
  // WhatsApp counts characters, not bytes.
  const count = [...words].length;
  const over = count > limit || files.some((one) => [...one.caption].length > CAPTION_LIMIT);
  const ready = !over && (files.length > 0 || text.trim() !== "");

  const write = (next: string) => {
    if (!next) use(undefined);
    if (file) setFiles(files.map((one, at) => (at === chosen ? { ...one, caption: next } : one)));
    else setText(next);
  };

  // The draft is kept a moment after the last key, and at once when the page or the conversation is left.
  const latest = useRef(text);
  latest.current = text;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the text starts the wait anew
  useEffect(() => {
    const timer = setTimeout(() => drafts.put(id, latest.current), SAVE_AFTER);
    return () => clearTimeout(timer);
  }, [id, text]);
  useEffect(() => {
    const keep = () => drafts.put(id, latest.current);
    addEventListener("pagehide", keep);
    return () => {
      removeEventListener("pagehide", keep);
      keep();
    };
  }, [id]);

  // Files cannot be kept: the browser asks before they are thrown away.
  const unsent = files.length > 0;
  useEffect(() => {
    if (!unsent) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [unsent]);

  // The customer sees "typing" for as long as keys are pressed.
  const told = useRef<ReturnType<typeof setTimeout>>(undefined);
  const tell = () => {
    if (!told.current) onTyping(true);
    clearTimeout(told.current);
    told.current = setTimeout(() => {
      told.current = undefined;
      onTyping(false);
    }, 5_000);
  };
  useEffect(() => () => clearTimeout(told.current), []);

  // Grows with the text, up to a third of the window.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the words
  useLayoutEffect(() => {
    const box = area.current;
    if (!box) return;
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, innerHeight / 3)}px`;
  }, [words, recording]);

  async function add(list: File[]) {
    if (list.length === 0) return;
    const { files: more, problem: why } = await attach(list);
    setProblem(why);
    if (more.length === 0) return;
    // The words typed so far become the caption of the first file.
    const first = more[0];
    if (files.length === 0 && first && text) {
      more[0] = { ...first, caption: text };
      setText("");
    }
    setFiles([...files, ...more]);
    area.current?.focus();
  }

  function drop(at: number) {
    const gone = files[at];
    const rest = files.filter((_, index) => index !== at);
    if (gone?.preview) URL.revokeObjectURL(gone.preview);
    if (rest.length === 0 && gone?.caption) setText(gone.caption);
    setFiles(rest);
    choose(Math.max(0, Math.min(chosen, rest.length - 1)));
  }

  function send() {
    if (!ready) return;
    if (files.length > 0)
      for (const [at, one] of files.map((each) => asChosen(each, pictures.get())).entries())
        outbox.add({
          conversationId: id,
          kind: one.kind,
          body: one.caption.trim(),
          file: one.file,
          preview: one.preview,
          mediaId: one.mediaId,
          replyTo: at === 0 ? replyTo?.id : undefined,
          quickReplyId: at === 0 ? used : undefined,
        });
    else outbox.add({ conversationId: id, kind: "text", body: text.trim(), replyTo: replyTo?.id, quickReplyId: used });
    use(undefined);
    open(undefined);
    clearTimeout(told.current);
    told.current = undefined;
    setFiles([]);
    choose(0);
    setText("");
    drafts.put(id, "");
    setProblem(undefined);
    onReplyTo(undefined);
    area.current?.focus();
  }

  /** Puts a text where the caret is; gives what stands there then. */
  function insert(more: string): string {
    const box = area.current;
    const at = box?.selectionStart ?? words.length;
    const next = words.slice(0, at) + more + words.slice(box?.selectionEnd ?? at);
    write(next);
    // At once: the next key is meant for it.
    box?.focus();
    requestAnimationFrame(() => box?.setSelectionRange(at + more.length, at + more.length));
    return next;
  }

  function pickQuick({ id: reply, media }: QuickReply, filled: string) {
    open(undefined);
    const caption = insert(filled);
    use(reply);
    if (!media) return;
    // The server has the file: only its name and its type are needed here.
    const named = new File([], media.name ?? t("kind.document"), { type: media.mime });
    const heavy = kindOf(named) === "image" && (media.sizeBytes ?? 0) > limits.image;
    const kind = heavy ? "document" : kindOf(named);
    const more: Attached = {
      key: `${reply} ${Date.now()}`,
      file: named,
      kind,
      caption: file ? "" : caption,
      mediaId: media.id,
      preview: kind === "document" ? undefined : media.url,
      // it goes as it was kept
      picture: kind === "image" ? { standard: named, original: named } : undefined,
    };
    setFiles((before) => [...before, more]);
    if (!file) setText("");
  }

  function sendPart({ kind, body, ...part }: Part) {
    outbox.add({ conversationId: id, kind, body, part, replyTo: replyTo?.id });
    onReplyTo(undefined);
    make(undefined);
  }

  useImperativeHandle(handle, () => ({
    focus: () => area.current?.focus(),
    put: (next) => {
      setText(next);
      area.current?.focus();
    },
    attach: (list) => void add(list),
    recording: () => recording,
  }));

  if (closed)
    return (
      <div className="border-t border-border bg-surface">
        {tabs}
        <p data-testid="composer-closed" className="px-4 py-4 text-center text-13 text-muted">
          {closed}
        </p>
      </div>
    );

  if (recording)
    return (
      <Shell phone={phone}>
        <Recorder
          fallback={<div className="h-22" />}
          onBreak={() => record(false)}
          onCancel={() => record(false)}
          onSend={(made) => {
            outbox.add({ conversationId: id, kind: "voice", body: "", ...made, replyTo: replyTo?.id });
            onReplyTo(undefined);
            record(false);
          }}
        />
      </Shell>
    );

  const field = (
    <textarea
      ref={area}
      data-testid="composer"
      aria-label={
        file ? t("composer.captionFor", { name: file.file.name }) : t("composer.label", { who: nameOf(contact) })
      }
      aria-invalid={over || undefined}
      rows={1}
      // The placeholder is ours, the words are the writer's.
      dir={words ? "auto" : undefined}
      value={words}
      placeholder={
        file
          ? t("composer.caption")
          : phone
            ? t("composer.short")
            : t("composer.placeholder", { who: nameOf(contact).split(" ")[0] ?? "" })
      }
      onFocus={onFocus}
      onChange={(event) => {
        const next = event.target.value;
        // It stays in the text until the quick replies are there.
        if (words === "" && next === "/") open("awaited");
        else if (quickly === "awaited" && !next.startsWith("/")) open(undefined);
        write(next);
        tell();
      }}
      onPaste={(event: ClipboardEvent) => {
        const pasted = [...event.clipboardData.files];
        if (pasted.length === 0) return;
        event.preventDefault();
        void add(pasted);
      }}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        const control = event.ctrlKey || event.metaKey;
        if (event.key === "Enter" && !event.shiftKey && (onEnter && !phone ? !control : control)) {
          event.preventDefault();
          // A search is under way, which nobody but us should read.
          if (quickly !== "awaited") send();
        } else if (control && (event.key === "b" || event.key === "i")) {
          event.preventDefault();
          const box = event.currentTarget;
          const next = mark(words, box.selectionStart, box.selectionEnd, event.key === "b" ? "*" : "_");
          write(next.text);
          requestAnimationFrame(() => box.setSelectionRange(next.from, next.to));
        } else if (event.key === "Escape") {
          if (quickly === "awaited") open(undefined);
          else if (replyTo) onReplyTo(undefined);
          else event.currentTarget.blur();
          event.stopPropagation();
        }
      }}
      className={cn(
        "block w-full resize-none bg-transparent text-text outline-none placeholder:text-muted",
        phone ? "max-h-40 py-2.5 ps-4 leading-6" : "px-3.5 pt-2.5 pb-1 leading-5",
      )}
    />
  );

  const above = (
    <>
      {problem && (
        <p role="alert" className="flex items-start gap-1.5 px-3.5 pt-2 text-12 text-danger">
          <CircleAlert size={14} className="mt-px shrink-0" aria-hidden />
          <span className="flex-1">{problem}</span>
          <button type="button" aria-label={t("composer.hideProblem")} onClick={() => setProblem(undefined)}>
            <X size={14} aria-hidden />
          </button>
        </p>
      )}
      {replyTo && (
        <div
          className="mx-2 mt-2 flex items-center gap-2 rounded-control border-s-3 border-primary bg-well/60 py-1 ps-2.5 pe-1 text-12"
          data-testid="replying"
        >
          <CornerUpLeft size={14} className="shrink-0 text-muted" aria-hidden />
          <span className="min-w-0 flex-1">
            <span className="block font-strong text-link">
              {replyTo.direction === "inbound" ? nameOf(contact) : replyTo.author.name || t("author.us")}
            </span>
            <span dir="auto" className="block truncate text-muted at-start">
              {plain(replyTo.body ?? "") || kindName(replyTo.kind)}
            </span>
          </span>
          <IconButton
            label={t("composer.noReply")}
            icon={<X size={16} aria-hidden />}
            onClick={() => onReplyTo(undefined)}
          />
        </div>
      )}
      {files.length > 0 && (
        <>
          <Tray files={files} chosen={chosen} onChoose={choose} onDrop={drop} onOrder={setFiles} />
          <PictureSize files={files} />
        </>
      )}
    </>
  );

  const counter =
    count > limit * 0.8 || count > LONG ? (
      <span className={cn("text-12 tabular-nums", over ? "font-medium text-danger" : "text-muted")} aria-live="polite">
        {over
          ? t("composer.over", { n: count - limit })
          : count > LONG && !file
            ? t("composer.long", { n: number(count), limit: number(limit) })
            : t("composer.count", { n: number(count), limit: number(limit) })}
      </span>
    ) : null;

  const chooser = (
    <input
      ref={input}
      type="file"
      multiple
      hidden
      aria-hidden="true"
      tabIndex={-1}
      data-testid="file-input"
      onChange={(event) => {
        void add([...(event.target.files ?? [])]);
        event.target.value = "";
      }}
    />
  );

  const attachMenu = (
    <AttachMenu
      phone={phone}
      can={can}
      onFiles={() => input.current?.click()}
      onPart={make}
      onQuick={() => open("menu")}
    />
  );

  const quickReplies =
    quickly &&
    quick({
      begun: quickly === "awaited" ? words.slice(1) : "",
      onShown: () => {
        if (quickly !== "awaited") return;
        open("key");
        write("");
      },
      onPick: pickQuick,
      onClose: (typed) => {
        open(undefined);
        // The / was meant as such.
        if (typed !== undefined && quickly === "key") insert(`/${typed}`);
        else area.current?.focus();
      },
    });
  const close = () => make(undefined);
  const dialog =
    making &&
    (making === "poll" ? (
      <PollDialog can={can} onClose={close} onSend={sendPart} />
    ) : making === "location" ? (
      <LocationDialog onClose={close} onSend={sendPart} />
    ) : (
      <Cards onClose={close} onSend={sendPart} />
    ));

  const emoji = picking && (
    <EmojiPicker
      onClose={() => {
        pick(false);
        area.current?.focus();
      }}
      onPick={(one) => {
        const box = area.current;
        const at = box?.selectionStart ?? words.length;
        write(words.slice(0, at) + one + words.slice(box?.selectionEnd ?? at));
        requestAnimationFrame(() => box?.setSelectionRange(at + one.length, at + one.length));
      }}
    />
  );

  if (phone)
    return (
      <div className="shrink-0 border-t border-border bg-surface pb-[max(8px,env(safe-area-inset-bottom))]">
        {tabs && <div className={cn(!ready && "hidden group-focus-within/writing:block")}>{tabs}</div>}
        {above}
        {counter && <div className="px-4 pt-1 text-end">{counter}</div>}
        <div className="relative flex items-end gap-1.5 px-2 pt-2">
          {quickReplies}
          {attachMenu}
          <div className="flex min-h-11 flex-1 items-end rounded-[22px] border border-control bg-raised focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-focus">
            {field}
          </div>
          {ready ? (
            <button
              type="button"
              data-testid="composer-send"
              aria-label={t("composer.send")}
              onClick={send}
              className="press grid size-11 shrink-0 place-items-center rounded-full bg-primary text-on-primary"
            >
              <SendHorizontal size={20} aria-hidden className="rtl:-scale-x-100" />
            </button>
          ) : (
            <button
              type="button"
              aria-label={t("composer.record")}
              onClick={() => record(true)}
              className="press grid size-11 shrink-0 place-items-center rounded-full bg-primary-tint text-link"
            >
              <Mic size={20} aria-hidden />
            </button>
          )}
        </div>
        {chooser}
        {dialog}
      </div>
    );

  return (
    <Shell phone={false}>
      {tabs}
      {above}
      {field}
      <div className="relative flex items-center px-2 pb-2">
        {attachMenu}
        <IconButton
          label={t("composer.emoji")}
          icon={<Smile size={18} aria-hidden />}
          aria-expanded={picking}
          onClick={() => pick(!picking)}
        />
        <IconButton
          label={t("composer.record")}
          icon={<Mic size={18} aria-hidden />}
          onClick={() => record(true)}
          data-testid="record"
        />
        <span className="flex-1" />
        {counter}
        <Button
          look="filled"
          size="dense"
          data-testid="composer-send"
          className="ms-2"
          disabled={!ready}
          icon={<SendHorizontal size={16} aria-hidden className="rtl:-scale-x-100" />}
          onClick={send}
        >
          {t("composer.send")}
        </Button>
        {emoji}
        {quickReplies}
      </div>
      {chooser}
      {dialog}
    </Shell>
  );
});

function Shell({ phone, children }: { phone: boolean; children: React.ReactNode }) {
  return (
    <div
      className={cn(
        "shrink-0 bg-raised",
        phone
          ? "border-t border-border px-2 py-2"
          : "mx-4 mb-3.5 rounded-card border border-control shadow-card focus-within:border-transparent focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-focus",
      )}
    >
      {children}
    </div>
  );
}
