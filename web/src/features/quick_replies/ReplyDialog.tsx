import { useQuery } from "@tanstack/react-query";
import { Paperclip, X } from "lucide-react";
import { useRef, useState } from "react";
import { z } from "zod";
import { describe, Problem } from "~/api/problem";
import { useSession } from "~/api/session";
import { type Media, may, type QuickReply } from "~/api/types";
import { upload } from "~/api/upload";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Field, inputLook, SelectField, TextField } from "~/ui/Field";
import { FileInput } from "~/ui/FileInput";
import { FormProblem } from "~/ui/FormProblem";
import { IconButton } from "~/ui/IconButton";
import { insertAtCaret } from "~/ui/textarea";
import { toast } from "~/ui/toast";
import { Said, useForm } from "~/ui/useForm";
import { people, useSave } from "./queries";
import { fill, knownOf, variables } from "./variables";

interface Props {
  /** The one to change; without it a new one is made. */
  reply?: QuickReply | undefined;
  /** What a new one begins with. */
  body?: string | undefined;
  onClose: () => void;
}

/** Makes or changes a quick reply, with what it will say to somebody. */
export default function ReplyDialog({ reply, body, onClose }: Props) {
  const session = useSession();
  const manager = may(session, "manager");
  const save = useSave();
  const [media, setMedia] = useState<Media | null>(reply?.media ?? null);
  const [file, setFile] = useState<{ busy?: boolean; problem?: string }>({});
  const [someone, setSomeone] = useState("");
  const area = useRef<HTMLTextAreaElement | null>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const contacts = useQuery(people).data ?? [];
  const form = useForm(
    z.object({
      scope: z.enum(["me", "all"]),
      shortcut: z
        .string()
        .trim()
        .regex(/^\/?[\p{L}\p{N}_-]{1,32}$/u, t("quick.badShortcut")),
      title: z.string().trim().min(1, t("quick.noTitle")).max(80, t("rule.long")),
      body: z.string().refine((text) => text.trim() !== "" || !!media, t("quick.noBody")),
      mediaId: z.string(),
    }),
    {
      scope: reply?.scope ?? "me",
      shortcut: reply?.shortcut ?? "",
      title: reply?.title ?? "",
      body: reply?.body ?? body ?? "",
      mediaId: "",
    },
    async ({ mediaId: _, ...values }) => {
      try {
        await save.mutateAsync({ ...values, id: reply?.id, mediaId: media?.id ?? null });
      } catch (error) {
        if (error instanceof Problem && error.slug === "shortcut-taken") throw new Said(t("quick.taken"), "shortcut");
        throw error;
      }
      toast.success(t("toast.saved"));
      onClose();
    },
  );
  const text = form.watch("body");
  const contact = contacts.find((one) => one.id === someone);
  const example = fill(
    text,
    knownOf(contact ?? {}, session.user, { name: t("quick.exampleNumber"), phone: "+27 82 000 0010" }, session.tenant),
  );
  const words = form.register("body");

  async function choose(given: File | undefined) {
    if (!given) return;
    setFile({ busy: true });
    try {
      setMedia(await upload(given));
      setFile({});
    } catch (error) {
      setFile({ problem: describe(error).detail });
    }
  }

  return (
    <Dialog
      open
      wide
      save={file.busy ? undefined : form.onSubmit}
      dirty={form.dirty || !!file.busy || media?.id !== reply?.media?.id}
      onClose={onClose}
      title={t(reply ? "quick.edit" : "quick.new")}
      text={t("quick.dialogText")}
      testId="reply-dialog"
    >
      <form noValidate onSubmit={form.onSubmit} className="grid gap-x-6 gap-y-4 phone:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-4">
          <TextField
            label={t("quick.shortcut")}
            hint={t("quick.shortcutHint")}
            error={form.error("shortcut")}
            autoComplete="off"
            spellCheck={false}
            autoFocus
            {...form.register("shortcut")}
          />
          <TextField
            label={t("quick.name")}
            error={form.error("title")}
            autoComplete="off"
            {...form.register("title")}
          />
          <Field label={t("quick.text")} error={form.error("body")}>
            {(wiring) => (
              <textarea
                {...wiring}
                {...words}
                ref={(node) => {
                  words.ref(node);
                  area.current = node;
                }}
                dir={text ? "auto" : undefined}
                rows={6}
                className={`${inputLook} h-auto resize-y py-2`}
              />
            )}
          </Field>
          <div className="-mt-2 flex flex-wrap gap-1" role="group" aria-label={t("quick.variables")}>
            {variables.map((name) => (
              <button
                key={name}
                type="button"
                className="press code rounded-small border border-border bg-surface px-1.5 py-0.5 text-11 text-muted hover:bg-hover hover:text-text pointer-coarse:min-h-8"
                onClick={() => {
                  const next = insertAtCaret(area.current, text, `{{${name}}}`);
                  form.setValue("body", next, { shouldDirty: true });
                  area.current?.focus();
                }}
              >
                {name}
              </button>
            ))}
          </div>
        </div>
        <div className="flex min-w-0 flex-col gap-4">
          <SelectField
            label={t("quick.scope")}
            hint={manager ? undefined : t("quick.scopeHint")}
            error={form.error("scope")}
            {...form.register("scope")}
          >
            <option value="me">{t("quick.me")}</option>
            {(manager || reply?.scope === "all") && <option value="all">{t("quick.all")}</option>}
          </SelectField>
          <Field label={t("quick.file")} error={file.problem ?? form.error("mediaId")}>
            {(wiring) => (
              <div className="flex items-center gap-2">
                {media ? (
                  <>
                    <span className="flex min-w-0 flex-1 items-center gap-2 rounded-control bg-well px-3 py-1.5 text-13">
                      <Paperclip size={16} className="shrink-0 text-muted" aria-hidden />
                      <bdi className="truncate">{media.name || t("kind.document")}</bdi>
                    </span>
                    <IconButton
                      label={t("quick.noFile")}
                      icon={<X size={16} aria-hidden />}
                      tip={false}
                      onClick={() => setMedia(null)}
                    />
                  </>
                ) : (
                  <Button
                    id={wiring.id}
                    size="dense"
                    icon={<Paperclip size={16} aria-hidden />}
                    busy={file.busy && t("form.working")}
                    onClick={() => chooser.current?.click()}
                  >
                    {t("quick.addFile")}
                  </Button>
                )}
                <FileInput ref={chooser} testId="reply-file" onFiles={([first]) => void choose(first)} />
              </div>
            )}
          </Field>
          <div>
            <SelectField
              label={t("quick.tryWith")}
              value={someone}
              onChange={(event) => setSomeone(event.target.value)}
              data-testid="reply-try"
            >
              <option value="">{t("quick.tryNobody")}</option>
              {contacts.map((one) => (
                <option key={one.id} value={one.id}>
                  {nameOf(one)}
                </option>
              ))}
            </SelectField>
            <div
              className="mt-3 min-h-24 rounded-card bg-bubble-out px-3 py-2 text-14"
              aria-live="polite"
              data-testid="reply-preview"
            >
              <p dir="auto" className="break-words whitespace-pre-wrap">
                {example.text || <span className="text-muted">{t("quick.previewEmpty")}</span>}
              </p>
            </div>
            {example.missing.length > 0 && (
              <p className="mt-1.5 text-12 text-warning-text">
                {t("quick.missing", { names: example.missing.join(", ") })}
              </p>
            )}
          </div>
        </div>
        <div className="empty:hidden phone:col-span-2">
          <FormProblem text={form.problem} />
        </div>
        <div className="flex flex-wrap justify-end gap-2 phone:col-span-2">
          <Button onClick={onClose}>{t("dialog.cancel")}</Button>
          <Button type="submit" look="filled" disabled={file.busy ?? false} busy={form.busy && t("form.saving")}>
            {t("form.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
