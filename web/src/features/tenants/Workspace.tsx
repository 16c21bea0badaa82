import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { z } from "zod";
import { api, once, take } from "~/api/client";
import { me, useSession } from "~/api/session";
import { may } from "~/api/types";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { SelectField, TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { Section } from "~/ui/Section";
import { toast } from "~/ui/toast";
import { useForm } from "~/ui/useForm";
import { useUnsaved } from "~/ui/useUnsaved";

/** The name and the time zone of the workspace, and whether links have previews. */
export function Workspace() {
  const client = useQueryClient();
  const session = useSession();
  const { tenant } = session;
  const admin = may(session, "admin");
  const zones = useMemo(() => {
    const all = Intl.supportedValuesOf?.("timeZone") ?? [];
    return all.includes(tenant.timeZone) ? all : [tenant.timeZone, ...all];
  }, [tenant.timeZone]);
  const form = useForm(
    z.object({
      name: z.string().trim().min(1, t("rule.workspaceMissing")).max(120, t("rule.long")),
      timeZone: z.string(),
      linkPreviews: z.boolean(),
    }),
    { name: tenant.name, timeZone: tenant.timeZone, linkPreviews: tenant.linkPreviews },
    async (values) => {
      await take(api.PATCH("/api/tenant", { headers: once(), body: values }));
      form.reset(values);
      await client.invalidateQueries({ queryKey: me.queryKey });
      toast.success(t("toast.saved"));
    },
  );
  useUnsaved(form.dirty, form.onSubmit);
  return (
    <Section title={t("settings.workspace")} text={t(admin ? "workspace.text" : "workspace.readOnly")}>
      <form noValidate onSubmit={form.onSubmit}>
        <fieldset disabled={!admin} className="flex flex-col gap-4">
          <TextField label={t("field.workspace")} error={form.error("name")} {...form.register("name")} />
          <SelectField label={t("field.timeZone")} hint={t("workspace.zoneHint")} {...form.register("timeZone")}>
            {zones.map((zone) => (
              <option key={zone} value={zone}>
                {zone.replace(/_/g, " ")}
              </option>
            ))}
          </SelectField>
          <label className="flex items-start gap-2.5">
            <input
              type="checkbox"
              className="mt-0.5 size-4 shrink-0 accent-primary"
              data-testid="link-previews"
              {...form.register("linkPreviews")}
            />
            <span>
              <span className="block text-13 font-medium">{t("workspace.linkPreviews")}</span>
              <span className="block text-12 text-muted">{t("workspace.linkPreviewsHint")}</span>
            </span>
          </label>
          <FormProblem text={form.problem} />
          {admin && (
            <Button
              type="submit"
              look="filled"
              className="self-start"
              disabled={!form.dirty}
              busy={form.busy && t("form.saving")}
            >
              {t("form.save")}
            </Button>
          )}
        </fieldset>
      </form>
    </Section>
  );
}
