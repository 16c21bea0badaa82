import { useQuery, useQueryClient } from "@tanstack/react-query";
import { z } from "zod";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import type { Gateway } from "~/api/types";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { PasswordField, SelectField, TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { Section } from "~/ui/Section";
import { BoneRows, Failed, Loading } from "~/ui/states";
import { toast } from "~/ui/toast";
import { useForm } from "~/ui/useForm";
import { useUnsaved } from "~/ui/useUnsaved";
import { Copyable } from "./Copyable";

const capacity = () =>
  z.string().refine((text) => text === "" || (/^\d{1,5}$/.test(text) && +text >= 1 && +text <= 10_000), {
    error: t("rule.capacity"),
  });

/** A new gateway: it must answer, and take the key. */
export function AddGateway() {
  const client = useQueryClient();
  const form = useForm(
    z.object({
      kind: z.enum(["waha", "evolution"]),
      name: z.string().trim().max(60, t("rule.long")),
      region: z.string().trim().max(60, t("rule.long")),
      url: z.url({ protocol: /^https?$/, error: t("rule.url") }),
      apiKey: z.string().trim().min(1, t("rule.keyMissing")),
    }),
    { kind: "waha", name: "", region: "", url: "", apiKey: "" },
    async ({ name, region, ...rest }) => {
      const body = { ...rest, ...(name && { name }), ...(region && { region }) };
      const made = await take(api.POST("/api/gateways", { headers: once(), body }));
      form.reset();
      toast.success(t("gateways.saved", { name: made.name }));
      await client.invalidateQueries({ queryKey: keys.gateways });
    },
  );
  useUnsaved(form.dirty, form.onSubmit);
  return (
    <Section title={t("gateways.add")} text={t("gateways.addText")}>
      <form
        noValidate
        onSubmit={form.onSubmit}
        className="grid items-start gap-4 phone:grid-cols-2"
        data-testid="add-gateway"
      >
        <SelectField label={t("add.kind")} {...form.register("kind")}>
          <option value="waha">{t("gateway.kind.waha")}</option>
          <option value="evolution">{t("gateway.kind.evolution")}</option>
        </SelectField>
        <TextField
          label={t("gateways.name")}
          autoComplete="off"
          hint={t("gateways.nameHint")}
          error={form.error("name")}
          {...form.register("name")}
        />
        <TextField
          label={t("add.url")}
          type="url"
          inputMode="url"
          placeholder="https://waha.example.com"
          error={form.error("url")}
          {...form.register("url")}
        />
        <PasswordField
          label={t("add.apiKey")}
          autoComplete="off"
          hint={t(form.watch("kind") === "evolution" ? "add.apiKeyHintEvolution" : "add.apiKeyHint")}
          error={form.error("apiKey")}
          {...form.register("apiKey")}
        />
        <TextField
          label={t("gateways.region")}
          autoComplete="off"
          hint={t("gateways.regionHint")}
          error={form.error("region")}
          {...form.register("region")}
        />
        <div className="flex flex-col gap-3 phone:col-span-2">
          <FormProblem text={form.problem} />
          <Button type="submit" look="filled" className="self-start" busy={form.busy && t("gateways.adding")}>
            {t("gateways.addGo")}
          </Button>
        </div>
      </form>
    </Section>
  );
}

/** Another name, another size, another key. */
export function EditGateway({ of, onClose }: { of: Gateway; onClose: () => void }) {
  const client = useQueryClient();
  const form = useForm(
    z.object({
      name: z.string().trim().min(1, t("rule.nameMissing")).max(60, t("rule.long")),
      region: z.string().trim().max(60, t("rule.long")),
      capacity: capacity(),
      apiKey: z.string().trim(),
    }),
    { name: of.name, region: of.region ?? "", capacity: String(of.capacity), apiKey: "" },
    async ({ name, region, capacity, apiKey }) => {
      const body = {
        name,
        region: region || null,
        ...(capacity && { capacity: Number(capacity) }),
        ...(apiKey && { apiKey }),
      };
      await take(api.PATCH("/api/gateways/{id}", { params: { path: { id: of.id } }, headers: once(), body }));
      await client.invalidateQueries({ queryKey: keys.gateways });
      toast.success(t("gateways.saved", { name }));
      onClose();
    },
  );
  return (
    <Dialog
      open
      dirty={form.dirty}
      save={form.onSubmit}
      onClose={onClose}
      title={t("gateways.editTitle", { name: of.name })}
      testId="edit-gateway"
    >
      <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-4">
        <TextField label={t("add.name")} autoComplete="off" error={form.error("name")} {...form.register("name")} />
        <TextField
          label={t("gateways.region")}
          autoComplete="off"
          hint={t("gateways.regionHint")}
          error={form.error("region")}
          {...form.register("region")}
        />
        <TextField
          label={t("gateways.capacity")}
          inputMode="numeric"
          error={form.error("capacity")}
          {...form.register("capacity")}
        />
        <PasswordField
          label={t("gateways.newKey")}
          autoComplete="off"
          hint={t("gateways.newKeyHint")}
          error={form.error("apiKey")}
          {...form.register("apiKey")}
        />
        <FormProblem text={form.problem} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t("dialog.cancel")}</Button>
          <Button type="submit" look="filled" busy={form.busy && t("form.saving")}>
            {t("form.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What to set at a gateway that calls one address for all its numbers. */
export function GatewaySetup({ of, onClose }: { of: Gateway; onClose: () => void }) {
  const { id } = of;
  const query = useQuery({
    queryKey: [...keys.gateways, id, "setup"],
    queryFn: async ({ signal }) =>
      await take(api.GET("/api/gateways/{id}/setup", { params: { path: { id } }, signal })),
    gcTime: 0,
    retry: false,
  });
  return (
    <Dialog
      open
      onClose={onClose}
      wide
      title={t("gateways.setupTitle", { name: of.name })}
      text={t("gateways.setupText")}
      testId="gateway-setup"
    >
      {query.isPending ? (
        <Loading>
          <BoneRows />
        </Loading>
      ) : query.isError ? (
        <Failed error={query.error} what={t("gateways.setupFailed")} onRetry={() => void query.refetch()} />
      ) : (
        <div className="flex flex-col gap-4">
          <Copyable label={t("gateways.setupUrl")} value={query.data.url} testId="setup-url" />
          <Copyable label={t("gateways.setupSecret")} value={query.data.secret} />
          <Copyable label={t("gateways.setupEvents")} value={query.data.events.join(",")} />
        </div>
      )}
    </Dialog>
  );
}
