import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "react-router";
import { z } from "zod";
import { api, take } from "~/api/client";
import { Problem } from "~/api/problem";
import { markFresh } from "~/api/refresh";
import { me } from "~/api/session";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { PasswordField, TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { Said, useForm } from "~/ui/useForm";
import { email } from "./rules";

/** Seconds that count down to nought; a locked door says how long. */
export function useCountdown(): [number, (seconds: number) => void] {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return [left, setLeft];
}

/** E-mail and password. A wrong pair is only called wrong: not which half. */
export function SignIn({
  onDone,
  signUp,
  ended,
}: {
  onDone: () => void;
  signUp: string;
  /** Somebody was signed in, and is not any more without having asked for it. */
  ended: boolean;
}) {
  const client = useQueryClient();
  const [wait, setWait] = useCountdown();
  const [wrong, setWrong] = useState(false);
  const form = useForm(
    z.object({ email: email(), password: z.string().min(1, t("rule.passwordMissing")) }),
    { email: "", password: "" },
    async (values) => {
      try {
        const session = await take(api.POST("/api/auth/sign-in", { body: values }));
        markFresh();
        client.clear();
        client.setQueryData(me.queryKey, session);
        onDone();
      } catch (error) {
        if (error instanceof Problem && error.status === 401) {
          setWrong(true);
          throw new Said(t("signIn.wrong"));
        }
        if (error instanceof Problem && error.status === 429) {
          setWait(Math.ceil(error.retryAfter ?? 60));
          return;
        }
        throw error;
      }
    },
  );
  return (
    <>
      <h1 className="text-28 font-strong tracking-[-0.01em]">{t("signIn.title")}</h1>
      <p className="mt-1.5 mb-6 text-15 text-muted">{t(ended ? "signIn.ended" : "signIn.text")}</p>
      <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-4" data-testid="sign-in">
        <TextField
          label={t("field.email")}
          type="email"
          autoComplete="username"
          autoFocus
          inputMode="email"
          className="h-11"
          error={form.error("email")}
          {...form.register("email")}
        />
        <PasswordField
          label={t("field.password")}
          autoComplete="current-password"
          className="h-11"
          error={form.error("password")}
          {...form.register("password")}
        />
        <FormProblem text={wait > 0 ? t("signIn.wait", { n: wait }) : form.problem} />
        {wrong && <p className="text-13 text-muted">{t("signIn.forgotten")}</p>}
        <Button type="submit" look="filled" size="touch" disabled={wait > 0} busy={form.busy && t("signIn.busy")}>
          {t("signIn.go")}
        </Button>
      </form>
      <p className="mt-6 text-center text-muted">
        {t("signIn.new")}{" "}
        <Link to={signUp} className="font-medium text-link underline-offset-3 hover:underline">
          {t("signIn.signUp")}
        </Link>
      </p>
    </>
  );
}
