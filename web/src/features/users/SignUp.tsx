import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "react-router";
import { z } from "zod";
import { api, take } from "~/api/client";
import { describe, Problem } from "~/api/problem";
import { markFresh } from "~/api/refresh";
import { me } from "~/api/session";
import { Rich } from "~/i18n/Rich";
import { type PlainKey, t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { PasswordField, SelectField, TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { Said, useForm } from "~/ui/useForm";
import { countries, guessCountry, zoneOf } from "./countries";
import { email, newPassword, required } from "./rules";
import { Strength } from "./Strength";

/** A new person: with a workspace of their own, or into the one that invited them. One screen. */
export function SignUp({
  invitation,
  signIn,
  onDone,
}: {
  invitation: string | null;
  signIn: string;
  onDone: () => void;
}) {
  const client = useQueryClient();
  const invited = useQuery({
    queryKey: ["invitation", invitation],
    queryFn: () => take(api.GET("/api/auth/invitations/{token}", { params: { path: { token: invitation ?? "" } } })),
    enabled: !!invitation,
    retry: false,
  });
  // Somebody who is signed in already joins with one press.
  const session = useQuery({ ...me, enabled: !!invitation }).data;
  const all = useMemo(countries, []);
  const form = useForm(
    z.object({
      name: required(t("rule.nameMissing")),
      email: invitation ? z.string() : email(),
      password: newPassword(),
      tenantName: invitation ? z.string() : required(t("rule.workspaceMissing")),
      country: z.string(),
    }),
    { name: "", email: "", password: "", tenantName: "", country: guessCountry() },
    async ({ country, ...values }) => {
      try {
        const made = await take(
          api.POST("/api/auth/sign-up", {
            body: invitation
              ? {
                  ...values,
                  email: invited.data?.email ?? values.email,
                  tenantName: invited.data?.tenantName ?? "",
                  invitation,
                }
              : { ...values, country, timeZone: zoneOf(country) },
          }),
        );
        markFresh();
        client.clear();
        client.setQueryData(me.queryKey, made);
        onDone();
      } catch (error) {
        throw error instanceof Problem && error.status === 409 ? new Said(t("signUp.taken"), "email") : error;
      }
    },
  );

  async function join() {
    try {
      await take(api.POST("/api/me/invitations", { body: { token: invitation ?? "" } }));
      markFresh();
      location.assign("/chat");
    } catch (error) {
      form.setProblem(describe(error).detail);
    }
  }

  if (invitation && invited.isError)
    return (
      <>
        <h1 className="text-28 font-strong tracking-[-0.01em]">{t("signUp.badInvitation")}</h1>
        <p className="mt-1.5 mb-6 text-15 text-muted">{t("signUp.badInvitationText")}</p>
        <Button asChild size="touch" className="w-full">
          <Link to={signIn}>{t("signIn.go")}</Link>
        </Button>
      </>
    );
  if (invitation && invited.isPending) return <div className="h-80" />;

  const { name, email: mail, tenantName, password } = form.watch();
  return (
    <>
      <h1 className="text-28 font-strong tracking-[-0.01em]">
        {invited.data ? t("signUp.join", { tenant: invited.data.tenantName }) : t("signUp.title")}
      </h1>
      <p className="mt-1.5 mb-6 text-15 text-muted">
        {invited.data ? (
          <Rich
            k="signUp.joinText"
            values={{ email: invited.data.email, role: t(`role.${invited.data.role}` as PlainKey) }}
          />
        ) : (
          t("signUp.text")
        )}
      </p>
      {invited.data && session && session.user.email.toLowerCase() === invited.data.email.toLowerCase() ? (
        <div className="flex flex-col gap-4">
          <FormProblem text={form.problem} />
          <Button look="filled" size="touch" onClick={() => void join()}>
            {t("signUp.joinGo", { tenant: invited.data.tenantName })}
          </Button>
        </div>
      ) : (
        <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-4" data-testid="sign-up">
          <TextField
            label={t("field.name")}
            autoComplete="name"
            autoFocus
            className="h-11"
            error={form.error("name")}
            {...form.register("name")}
          />
          {!invitation && (
            <TextField
              label={t("field.email")}
              type="email"
              inputMode="email"
              autoComplete="username"
              className="h-11"
              error={form.error("email")}
              {...form.register("email")}
            />
          )}
          <PasswordField
            label={t("field.password")}
            autoComplete="new-password"
            className="h-11"
            hint={
              password ? (
                <Strength password={password} own={[name, mail.split("@")[0] ?? "", tenantName]} />
              ) : (
                t("signUp.passwordHint")
              )
            }
            error={form.error("password")}
            {...form.register("password")}
          />
          {!invitation && (
            <div className="grid gap-4 phone:grid-cols-[1fr_150px]">
              <TextField
                label={t("field.workspace")}
                autoComplete="organization"
                className="h-11"
                error={form.error("tenantName")}
                {...form.register("tenantName")}
              />
              <SelectField
                label={t("field.country")}
                autoComplete="country"
                className="h-11"
                {...form.register("country")}
              >
                {all.map((one) => (
                  <option key={one.code} value={one.code}>
                    {one.name}
                  </option>
                ))}
              </SelectField>
            </div>
          )}
          <FormProblem text={form.problem} />
          <Button type="submit" look="filled" size="touch" busy={form.busy && t("signUp.busy")}>
            {invited.data ? t("signUp.joinGo", { tenant: invited.data.tenantName }) : t("signUp.go")}
          </Button>
        </form>
      )}
      <p className="mt-6 text-center text-muted">
        {t("signUp.have")}{" "}
        <Link to={signIn} className="font-medium text-link underline-offset-3 hover:underline">
          {t("signIn.go")}
        </Link>
      </p>
    </>
  );
}
