import { useQueryClient } from "@tanstack/react-query";
import { z } from "zod";
import { api, once, take } from "~/api/client";
import { Problem } from "~/api/problem";
import { me, useSession } from "~/api/session";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { PasswordField, TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { Section } from "~/ui/Section";
import { toast } from "~/ui/toast";
import { Said, useForm } from "~/ui/useForm";
import { useUnsaved } from "~/ui/useUnsaved";
import { newPassword, required } from "./rules";
import { Strength } from "./Strength";

function Name() {
  const client = useQueryClient();
  const { user } = useSession();
  const form = useForm(z.object({ name: required(t("rule.nameMissing")) }), { name: user.name }, async (values) => {
    await take(api.PATCH("/api/me", { headers: once(), body: values }));
    form.reset(values);
    await client.invalidateQueries({ queryKey: me.queryKey });
    toast.success(t("toast.saved"));
  });
  useUnsaved(form.dirty, form.onSubmit);
  return (
    <Section title={t("profile.title")} text={t("profile.text")}>
      <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-4">
        <TextField label={t("field.name")} autoComplete="name" error={form.error("name")} {...form.register("name")} />
        <TextField label={t("field.email")} value={user.email} readOnly disabled hint={t("profile.emailHint")} />
        <FormProblem text={form.problem} />
        <Button
          type="submit"
          look="filled"
          className="self-start"
          disabled={!form.dirty}
          busy={form.busy && t("form.saving")}
        >
          {t("form.save")}
        </Button>
      </form>
    </Section>
  );
}

function Password() {
  const { user } = useSession();
  const form = useForm(
    z.object({ current: z.string().min(1, t("rule.passwordMissing")), new: newPassword() }),
    { current: "", new: "" },
    async (values) => {
      try {
        await take(api.PUT("/api/me/password", { headers: once(), body: values }));
      } catch (error) {
        // The password is wrong, not the session: said at the field.
        const wrong =
          error instanceof Problem && (error.status === 403 || error.status === 409) && error.fields.length === 0;
        throw wrong ? new Said(error.message, "current") : error;
      }
      form.reset();
      toast.success(t("toast.passwordChanged"));
    },
  );
  return (
    <Section title={t("password.title")} text={t("password.text")}>
      <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-4">
        <PasswordField
          label={t("password.current")}
          autoComplete="current-password"
          error={form.error("current")}
          {...form.register("current")}
        />
        <PasswordField
          label={t("password.new")}
          autoComplete="new-password"
          hint={
            form.watch("new") ? (
              <Strength password={form.watch("new")} own={[user.name, user.email]} />
            ) : (
              t("signUp.passwordHint")
            )
          }
          error={form.error("new")}
          {...form.register("new")}
        />
        <FormProblem text={form.problem} />
        <Button type="submit" className="self-start" disabled={!form.dirty} busy={form.busy && t("form.saving")}>
          {t("password.go")}
        </Button>
      </form>
    </Section>
  );
}

export function Profile() {
  return (
    <>
      <Name />
      <Password />
    </>
  );
}
