import { Mic, SendHorizontal, Smile } from "lucide-react";
import { type ComponentType, forwardRef, type ReactNode, useImperativeHandle, useRef, useState } from "react";
import type { Conversation, Instance, Message, QuickReply } from "~/api/types";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { FileInput } from "~/ui/FileInput";
import { IconButton } from "~/ui/IconButton";
import { part } from "~/ui/part";
import { insertAtCaret } from "~/ui/textarea";
import { useNarrow } from "~/ui/useNarrow";
import { AttachMenu, type PartKind } from "./AttachMenu";
import { attach, PictureSize, Tray } from "./Attachments";
import { Counter } from "./Counter";
import { lengthOf } from "./limits";
import { MessageField } from "./MessageField";
import { outbox, type Part } from "./outbox";
import { Replying } from "./Replying";
import { useTellTyping } from "./typing";
import { WritingProblem } from "./WritingProblem";
import { useWritten } from "./written";

const EmojiPicker = part(() => import("./EmojiPicker"));
const Recorder = part(() => import("./Recorder"));
const PollDialog = part(() => import("./PollDialog"));
const LocationDialog = part(() => import("./LocationDialog"));

/** Very long for a chat. */
const LONG = 1500;

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
  const { words, file, files, ready, write, ...written } = useWritten(id);
  const [picking, pick] = useState(false);
  const [recording, record] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [making, make] = useState<PartKind>();
  /** What opened the quick replies; `awaited`: the key did, and they are on their way. */
  const [quickly, open] = useState<"awaited" | "key" | "menu">();
  const area = useRef<HTMLTextAreaElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const typing = useTellTyping(onTyping);

  async function add(list: File[]) {
    if (list.length === 0) return;
    const given = await attach(list);
    setProblem(given.problem);
    if (given.files.length === 0) return;
    written.add(given.files);
    area.current?.focus();
  }

  function send() {
    if (!ready) return;
    written.send(replyTo?.id);
    open(undefined);
    typing.end();
    setProblem(undefined);
    onReplyTo(undefined);
    area.current?.focus();
  }

  const insert = (more: string) => write(insertAtCaret(area.current, words, more));

  function sendPart({ kind, body, ...part }: Part) {
    outbox.add({ conversationId: id, kind, body, part, replyTo: replyTo?.id });
    onReplyTo(undefined);
    make(undefined);
  }

  useImperativeHandle(handle, () => ({
    focus: () => area.current?.focus(),
    put: (next) => {
      written.put(next);
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
    <MessageField
      area={area}
      words={words}
      who={contact}
      captionOf={file?.file.name}
      invalid={written.over}
      onType={(next) => {
        // It stays in the text until the quick replies are there.
        if (words === "" && next === "/") open("awaited");
        else if (quickly === "awaited" && !next.startsWith("/")) open(undefined);
        write(next);
        typing.key();
      }}
      onMark={write}
      onSend={() => {
        // A search is under way, which nobody but us should read.
        if (quickly !== "awaited") send();
      }}
      onFiles={(pasted) => void add(pasted)}
      onEscape={() => {
        if (quickly === "awaited") open(undefined);
        else if (replyTo) onReplyTo(undefined);
        else return false;
        return true;
      }}
      onFocus={onFocus}
    />
  );

  const above = (
    <>
      {problem && <WritingProblem text={problem} onHide={() => setProblem(undefined)} />}
      {replyTo && <Replying message={replyTo} contact={nameOf(contact)} onDrop={() => onReplyTo(undefined)} />}
      {files.length > 0 && (
        <>
          <Tray
            files={files}
            chosen={written.chosen}
            onChoose={written.choose}
            onDrop={written.drop}
            onOrder={written.order}
          />
          <PictureSize files={files} />
        </>
      )}
    </>
  );

  const counter = <Counter count={lengthOf(words)} limit={written.limit} long={file ? undefined : LONG} />;
  const chooser = <FileInput ref={input} multiple testId="file-input" onFiles={(list) => void add(list)} />;

  const attachMenu = (
    <AttachMenu
      phone={phone}
      can={can}
      onFiles={() => input.current?.click()}
      onPart={(kind) => {
        // What is written goes on where the dialog has been.
        area.current?.focus();
        make(kind);
      }}
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
      onPick: (reply, filled) => {
        open(undefined);
        written.takeQuickReply(reply, insertAtCaret(area.current, words, filled));
        // At once: the next key is meant for it.
        area.current?.focus();
      },
      onClose: (typed) => {
        open(undefined);
        // The / was meant as such.
        if (typed !== undefined && quickly === "key") insert(`/${typed}`);
        area.current?.focus();
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
      onPick={insert}
    />
  );

  if (phone)
    return (
      <div className="shrink-0 border-t border-border bg-surface pb-[max(8px,env(safe-area-inset-bottom))]">
        {tabs && <div className={cn(!ready && "hidden group-focus-within/writing:block")}>{tabs}</div>}
        {above}
        <div className="px-4 pt-1 text-end empty:hidden">{counter}</div>
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

function Shell({ phone, children }: { phone: boolean; children: ReactNode }) {
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
