import { type ClipboardEvent, useState } from "react";
import { Rich } from "~/i18n/Rich";
import { type PlainKey, t } from "~/i18n/t";
import { PasswordField, TextField } from "~/ui/Field";
import type { useForm } from "~/ui/useForm";
import type { NewNumber } from "./AddDialog";
import { Fold } from "./Fold";
import { type Found, read } from "./paste";

const where: PlainKey[] = ["cloud.where.setup", "cloud.where.token", "cloud.where.app", "cloud.where.pin"];

/** What Meta's Cloud API takes. A text copied from Meta's page fills all the fields that it names. */
export function CloudFields({ form }: { form: ReturnType<typeof useForm<NewNumber>> }) {
  const [filled, fill] = useState(0);
  const onPaste = (event: ClipboardEvent) => {
    const found = read(event.clipboardData.getData("text"));
    const names = Object.keys(found) as (keyof Found)[];
    if (names.length === 0) return;
    event.preventDefault();
    for (const name of names) form.setValue(name, found[name] ?? "", { shouldDirty: true });
    form.clearErrors(names);
    fill(names.length);
  };
  return (
    <div className="flex flex-col gap-4" onPaste={onPaste}>
      <Fold title={t("cloud.where")}>
        <ol className="flex list-decimal flex-col gap-1.5 py-3 ps-8 pe-4 text-13">
          {where.map((step) => (
            <li key={step}>
              <Rich k={step as "cloud.where.setup"} />
            </li>
          ))}
        </ol>
      </Fold>
      <div className="grid gap-4 phone:grid-cols-2">
        <TextField
          label={t("cloud.phoneNumberId")}
          inputMode="numeric"
          autoComplete="off"
          spellCheck={false}
          hint={t("cloud.pasteHint")}
          error={form.error("phoneNumberId")}
          {...form.register("phoneNumberId")}
        />
        <TextField
          label={t("cloud.wabaId")}
          inputMode="numeric"
          autoComplete="off"
          spellCheck={false}
          hint={t("cloud.wabaHint")}
          error={form.error("wabaId")}
          {...form.register("wabaId")}
        />
      </div>
      <PasswordField
        label={t("cloud.accessToken")}
        autoComplete="off"
        hint={t("cloud.accessTokenHint")}
        error={form.error("accessToken")}
        {...form.register("accessToken")}
      />
      <div className="grid gap-4 phone:grid-cols-2">
        <PasswordField
          label={t("cloud.appSecret")}
          autoComplete="off"
          hint={t("cloud.appSecretHint")}
          error={form.error("appSecret")}
          {...form.register("appSecret")}
        />
        <TextField
          label={t("cloud.appId")}
          inputMode="numeric"
          autoComplete="off"
          spellCheck={false}
          hint={t("cloud.appIdHint")}
          error={form.error("appId")}
          {...form.register("appId")}
        />
        <TextField
          label={t("cloud.verifyToken")}
          autoComplete="off"
          spellCheck={false}
          className="code"
          hint={t("cloud.verifyTokenHint")}
          error={form.error("verifyToken")}
          {...form.register("verifyToken")}
        />
        <TextField
          label={t("cloud.pin")}
          inputMode="numeric"
          autoComplete="off"
          maxLength={6}
          hint={t("cloud.pinHint")}
          error={form.error("pin")}
          {...form.register("pin")}
        />
      </div>
      <p className="text-12 text-success empty:hidden" role="status">
        {filled > 0 ? t("cloud.filled", { n: filled }) : ""}
      </p>
    </div>
  );
}
