import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { z } from "zod";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { describe } from "~/api/problem";
import { useSession } from "~/api/session";
import { type Label, may } from "~/api/types";
import { type PlainKey, t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { Confirm, Dialog } from "~/ui/Dialog";
import { TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { IconButton } from "~/ui/IconButton";
import { Listing } from "~/ui/Listing";
import { Item, Section } from "~/ui/Section";
import { Empty } from "~/ui/states";
import { toast } from "~/ui/toast";
import { useForm } from "~/ui/useForm";
import { useUnsaved } from "~/ui/useUnsaved";
import { colours, Dot } from "./LabelChip";
import { labels as labelsQuery } from "./labels";

/** A name and a colour: of a new label, or of one that is there. */
function useLabelForm(label?: Label, onSaved?: () => void) {
  const client = useQueryClient();
  const form = useForm(
    z.object({
      name: z.string().trim().min(1, t("labels.nameMissing")).max(40, t("labels.nameLong")),
      colour: z.enum(colours as [Label["colour"], ...Label["colour"][]]),
    }),
    { name: label?.name ?? "", colour: label?.colour ?? "stone" },
    async (body) => {
      await take(
        label
          ? api.PATCH("/api/labels/{id}", { params: { path: { id: label.id } }, headers: once(), body })
          : api.POST("/api/labels", { headers: once(), body }),
      );
      if (!label) form.reset();
      await client.invalidateQueries({ queryKey: keys.labels });
      onSaved?.();
    },
  );
  return form;
}

function Fields({ form, label }: { form: ReturnType<typeof useLabelForm>; label?: Label }) {
  return (
    <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-4">
      <TextField
        label={t("labels.name")}
        autoComplete="off"
        error={form.error("name")}
        {...form.register("name")}
        data-testid="label-name"
      />
      <fieldset>
        <legend className="mb-1.5 text-13 font-medium">{t("labels.colour")}</legend>
        <div className="flex flex-wrap gap-1.5">
          {colours.map((colour) => (
            <label
              key={colour}
              className="flex min-h-8 items-center gap-1.5 rounded-full border border-border px-2.5 text-13 has-checked:border-transparent has-checked:bg-selected has-checked:font-medium has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-focus pointer-coarse:min-h-11"
            >
              <input type="radio" value={colour} className="sr-only" {...form.register("colour")} />
              <Dot colour={colour} className="size-2.5" />
              {t(`label.colour.${colour}` as PlainKey)}
            </label>
          ))}
        </div>
      </fieldset>
      <FormProblem text={form.problem} />
      <div className={cn("flex", label && "justify-end")}>
        <Button type="submit" look="filled" busy={form.busy && t("form.working")} data-testid="label-save">
          {t(label ? "labels.save" : "labels.make")}
        </Button>
      </div>
    </form>
  );
}

function NewLabel() {
  const form = useLabelForm();
  useUnsaved(form.dirty, form.onSubmit);
  return (
    <Section title={t("labels.new")} text={t("labels.text")}>
      <Fields form={form} />
    </Section>
  );
}

function EditLabel({ label, onClose }: { label: Label; onClose: () => void }) {
  const form = useLabelForm(label, onClose);
  return (
    <Dialog open dirty={form.dirty} save={form.onSubmit} onClose={onClose} title={label.name}>
      <Fields form={form} label={label} />
    </Dialog>
  );
}

/** The workspace's labels: everybody sees them, managers change them. */
export function Labels() {
  const client = useQueryClient();
  const session = useSession();
  const manager = may(session, "manager");
  const query = useQuery({ ...labelsQuery, staleTime: 0 });
  const [changing, change] = useState<Label>();
  const [leaving, leave] = useState<Label>();
  const remove = useMutation({
    mutationFn: ({ id }: Label) => take(api.DELETE("/api/labels/{id}", { params: { path: { id } }, headers: once() })),
    onError: (error) => toast.error(describe(error).detail),
    onSettled: () => {
      leave(undefined);
      void client.invalidateQueries({ queryKey: keys.labels });
    },
  });
  return (
    <>
      {manager && <NewLabel />}
      <Section flush title={t("settings.labels")} text={manager ? undefined : t("labels.textAgent")}>
        <Listing
          query={query}
          items={query.data}
          failed={t("labels.failed")}
          empty={<Empty title={t("label.none")} text={t("labels.emptyText")} />}
        >
          {(all) => (
            <ul data-testid="labels">
              {all.map((one) => (
                <Item key={one.id}>
                  <Dot colour={one.colour} className="size-3" />
                  <span dir="auto" className="min-w-0 flex-1 truncate font-medium at-start">
                    {one.name}
                  </span>
                  {manager && (
                    <>
                      <IconButton
                        label={t("labels.change", { name: one.name })}
                        icon={<Pencil size={16} aria-hidden />}
                        onClick={() => change(one)}
                      />
                      <IconButton
                        label={t("labels.delete", { name: one.name })}
                        icon={<Trash2 size={16} aria-hidden />}
                        onClick={() => leave(one)}
                      />
                    </>
                  )}
                </Item>
              ))}
            </ul>
          )}
        </Listing>
      </Section>
      {changing && <EditLabel label={changing} onClose={() => change(undefined)} />}
      <Confirm
        open={!!leaving}
        onClose={() => leave(undefined)}
        title={t("labels.deleteTitle", { name: leaving?.name ?? "" })}
        text={t("labels.deleteText")}
        keep={t("dialog.cancel")}
        act={t("labels.deleteGo")}
        busy={remove.isPending && t("form.working")}
        onAct={() => leaving && remove.mutate(leaving)}
      />
    </>
  );
}
