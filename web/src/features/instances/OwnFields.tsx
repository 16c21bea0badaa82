import type { Gateway } from "~/api/types";
import { t } from "~/i18n/t";
import { PasswordField, SelectField, TextField } from "~/ui/Field";
import { Seg } from "~/ui/Seg";
import type { useForm } from "~/ui/useForm";
import type { NewNumber } from "./AddDialog";

const examples = { waha: "https://waha.example.com", evolution: "https://evolution.example.com" };

/** A gateway of one's own: which program it runs, and which one it is, or where it is and its key. */
export function OwnFields({
  form,
  mine,
  onKnown,
}: {
  form: ReturnType<typeof useForm<NewNumber>>;
  mine: Gateway[];
  onKnown: (known: boolean) => void;
}) {
  const kind = form.watch("kind");
  const known = mine.filter((one) => one.kind === kind);
  const chosen = form.watch("gatewayId");
  const choose = (id: string) => {
    form.setValue("gatewayId", id);
    onKnown(id !== "");
  };
  return (
    <div className="flex flex-col gap-4">
      <Seg
        label={t("add.kind")}
        value={kind}
        onChange={(next) => {
          form.setValue("kind", next);
          choose("");
        }}
        className="self-start"
        options={[
          { value: "waha", text: t("gateway.kind.waha") },
          { value: "evolution", text: t("gateway.kind.evolution") },
        ]}
      />
      {known.length > 0 && (
        <SelectField label={t("add.gateway")} value={chosen} onChange={(event) => choose(event.target.value)}>
          <option value="">{t("add.gatewayNew")}</option>
          {known.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </SelectField>
      )}
      {!chosen && (
        <div className="grid gap-4 phone:grid-cols-2">
          <TextField
            label={t("add.url")}
            type="url"
            inputMode="url"
            placeholder={examples[kind]}
            error={form.error("url")}
            {...form.register("url")}
          />
          <PasswordField
            label={t("add.apiKey")}
            autoComplete="off"
            hint={t(kind === "evolution" ? "add.apiKeyHintEvolution" : "add.apiKeyHint")}
            error={form.error("apiKey")}
            {...form.register("apiKey")}
          />
        </div>
      )}
    </div>
  );
}
