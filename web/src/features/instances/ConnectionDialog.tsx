import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, CircleAlert, RefreshCw } from "lucide-react";
import { z } from "zod";
import { api, take } from "~/api/client";
import type { Instance } from "~/api/types";
import { type PlainKey, t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { Dialog } from "~/ui/Dialog";
import { PasswordField, TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { mayLeave } from "~/ui/leaving";
import { Spinner } from "~/ui/Spinner";
import { BoneRows, Failed, Loading } from "~/ui/states";
import { toast } from "~/ui/toast";
import { Said, useForm } from "~/ui/useForm";
import { put, renew } from "./acts";
import { Copyable } from "./Copyable";

const names: Record<string, PlainKey> = {
  reach: "connection.step.reach",
  key: "connection.step.key",
  version: "connection.step.version",
  number: "connection.step.number",
  account: "connection.step.account",
  session: "connection.step.session",
  subscription: "connection.step.subscription",
  secret: "connection.step.secret",
  hooks: "connection.step.hooks",
};

/** How often we look whether the first call has come, while somebody waits for it. */
const LOOK = 4_000;

function Steps({ id }: { id: string }) {
  const query = useQuery({
    queryKey: ["connection", id],
    queryFn: async () => (await take(api.POST("/api/instances/{id}/check", { params: { path: { id } } }))).steps,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  if (query.isPending)
    return (
      <Loading>
        <BoneRows />
      </Loading>
    );
  if (query.isError)
    return <Failed error={query.error} what={t("connection.failed")} onRetry={() => void query.refetch()} />;
  return (
    <div>
      <ul className="rounded-card border border-border" data-testid="connection-steps">
        {query.data.map((step) => (
          <li
            key={step.name}
            data-step={step.name}
            data-ok={step.ok}
            className="flex items-start gap-2.5 border-b border-border px-3.5 py-2 text-13 last:border-0"
          >
            {step.ok ? (
              <Check size={16} className="mt-0.5 shrink-0 text-success" aria-hidden />
            ) : (
              <CircleAlert
                size={16}
                className={cn("mt-0.5 shrink-0", step.name === "hooks" ? "text-warning" : "text-danger")}
                aria-hidden
              />
            )}
            <span className="w-28 shrink-0 font-medium">
              {names[step.name] ? t(names[step.name] as PlainKey) : step.name}
              <span className="sr-only">{t(step.ok ? "connection.ok" : "connection.wrong")}</span>
            </span>
            <span className="min-w-0 flex-1 break-words text-muted">{step.detail}</span>
          </li>
        ))}
      </ul>
      <Button
        size="dense"
        className="mt-2.5"
        icon={<RefreshCw size={16} aria-hidden />}
        busy={query.isFetching && t("gateways.checking")}
        onClick={() => void query.refetch()}
      >
        {t("connection.again")}
      </Button>
    </div>
  );
}

/** Whether Meta has called, looked at again until it has. */
function FirstCall({ of }: { of: Instance }) {
  const client = useQueryClient();
  const { id } = of;
  useQuery({
    queryKey: ["first-call", id],
    queryFn: async ({ signal }) => {
      const now = await take(api.GET("/api/instances/{id}", { params: { path: { id } }, signal }));
      put(client, now);
      return now.lastHookAt;
    },
    enabled: !of.lastHookAt,
    refetchInterval: LOOK,
    gcTime: 0,
  });
  return (
    <p className="flex items-center gap-2.5 text-13 font-medium" role="status" data-testid="first-call">
      {of.lastHookAt ? (
        <Check size={18} className="shrink-0 text-success" aria-hidden />
      ) : (
        <span className="flex shrink-0 text-primary">
          <Spinner size={18} />
        </span>
      )}
      {t(of.lastHookAt ? "connection.called" : "connection.waiting")}
    </p>
  );
}

/** New keys for a number at Meta, or its PIN. */
function useRenew(id: string) {
  const client = useQueryClient();
  const secret = z
    .string()
    .trim()
    .pipe(z.string().regex(/^(\S{8,2000})?$/, t("rule.secret")));
  const form = useForm(
    z.object({
      accessToken: secret,
      appSecret: secret,
      pin: z
        .string()
        .trim()
        .regex(/^(\d{6})?$/, t("rule.pin")),
    }),
    { accessToken: "", appSecret: "", pin: "" },
    async ({ accessToken, appSecret, pin }) => {
      if (!accessToken && !appSecret && !pin) throw new Said(t("connection.nothing"), "accessToken");
      await renew(client, id, {
        ...(accessToken && { accessToken }),
        ...(appSecret && { appSecret }),
        ...(pin && { pin }),
      });
      form.reset();
      void client.invalidateQueries({ queryKey: ["connection", id] });
      toast.success(t("connection.renewed"));
    },
  );
  return form;
}

function Renew({ form }: { form: ReturnType<typeof useRenew> }) {
  return (
    <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-3" data-testid="renew">
      <div>
        <h3 className="font-strong">{t("connection.renew")}</h3>
        <p className="text-13 text-muted">{t("connection.renewText")}</p>
      </div>
      <div className="grid gap-4 phone:grid-cols-2">
        <PasswordField
          label={t("connection.newToken")}
          autoComplete="off"
          hint={t("connection.leaveEmpty")}
          error={form.error("accessToken")}
          {...form.register("accessToken")}
        />
        <PasswordField
          label={t("connection.newSecret")}
          autoComplete="off"
          hint={t("connection.leaveEmpty")}
          error={form.error("appSecret")}
          {...form.register("appSecret")}
        />
        <TextField
          label={t("cloud.pin")}
          inputMode="numeric"
          autoComplete="off"
          maxLength={6}
          hint={t("connection.pinHint")}
          error={form.error("pin")}
          {...form.register("pin")}
        />
      </div>
      <FormProblem text={form.problem} />
      <Button type="submit" className="self-start" busy={form.busy && t("add.cloudBusy")}>
        {t("connection.renewGo")}
      </Button>
    </form>
  );
}

/** What a number needs, each with a tick or a reason; at Meta also what it was given, and new keys. */
export function ConnectionDialog({
  instance,
  verifyToken,
  onClose,
}: {
  instance: Instance;
  /** Right after the number was made; it is never told again. */
  verifyToken?: string | undefined;
  onClose: () => void;
}) {
  const { id, name, cloud, hookUrl } = instance;
  const form = useRenew(id);
  return (
    <Dialog
      open
      dirty={form.dirty}
      save={form.onSubmit}
      onClose={onClose}
      wide
      title={t("connection.title", { name })}
      text={t("connection.text")}
      testId="connection-dialog"
    >
      <div className="flex flex-col gap-6">
        <Steps id={id} />
        {cloud && <FirstCall of={instance} />}
        {cloud && (
          <div className="flex flex-col gap-3">
            <div>
              <h3 className="font-strong">{t("connection.hook")}</h3>
              <p className="text-13 text-muted">{t("connection.hookText")}</p>
            </div>
            <Copyable label={t("connection.callback")} value={hookUrl} testId="callback-url" />
            {verifyToken && <Copyable label={t("connection.verifyToken")} value={verifyToken} testId="verify-token" />}
            <p className="text-12 text-muted">{t("connection.fields")}</p>
          </div>
        )}
        {cloud && <Renew form={form} />}
        <div className="flex justify-end">
          {/* With a token typed and not kept, this is a way out like any other. */}
          <Button look="filled" onClick={() => mayLeave(true) && onClose()}>
            {t("link.finish")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
