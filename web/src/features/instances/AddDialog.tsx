import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { z } from "zod";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import type { Instance } from "~/api/types";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { useForm } from "~/ui/useForm";
import { put } from "./acts";
import { CloudFields } from "./CloudFields";
import { OwnFields } from "./OwnFields";
import { randomWord } from "./paste";
import { gateways } from "./queries";
import { useChoice } from "./useChoice";
import { type Way, type WayChoice, Ways } from "./ways";

/** Everything that a number may take; which of it is asked for, the way says. */
export interface NewNumber {
  name: string;
  kind: "waha" | "evolution";
  gatewayId: string;
  url: string;
  apiKey: string;
  phoneNumberId: string;
  wabaId: string;
  accessToken: string;
  appId: string;
  appSecret: string;
  verifyToken: string;
  pin: string;
}

/** What is left of a field that was pasted into. */
const pasted = (rule: z.ZodString) => z.string().trim().pipe(rule);
const digits = (missing: string) =>
  pasted(
    z
      .string()
      .min(1, missing)
      .regex(/^\d{1,32}$/, t("rule.digits")),
  );
const secret = (missing: string) =>
  pasted(
    z
      .string()
      .min(1, missing)
      .regex(/^\S{8,2000}$/, t("rule.secret")),
  );

function schema(way: Way, known: boolean) {
  const any = z.string();
  const own = way === "own" && !known;
  const cloud = way === "cloud";
  return z.object({
    name: z.string().trim().min(1, t("rule.numberNameMissing")).max(60, t("rule.long")),
    kind: z.enum(["waha", "evolution"]),
    gatewayId: any,
    url: own ? z.url({ protocol: /^https?$/, error: t("rule.url") }) : any,
    apiKey: own ? z.string().trim().min(1, t("rule.keyMissing")) : any,
    phoneNumberId: cloud ? digits(t("rule.phoneNumberId")) : any,
    wabaId: cloud ? digits(t("rule.wabaId")) : any,
    accessToken: cloud ? secret(t("rule.accessToken")) : any,
    appId: cloud ? pasted(z.string().regex(/^\d{0,32}$/, t("rule.digits"))) : any,
    appSecret: cloud ? secret(t("rule.appSecret")) : any,
    verifyToken: cloud ? secret(t("rule.verifyToken")) : any,
    pin: cloud ? pasted(z.string().regex(/^(\d{6})?$/, t("rule.pin"))) : any,
  });
}

/** What the server takes for it. */
function body(way: Way, of: NewNumber) {
  const { name } = of;
  if (way === "operator") return { name };
  if (way === "own")
    return of.gatewayId
      ? { provider: of.kind, name, gatewayId: of.gatewayId }
      : { provider: of.kind, name, settings: { url: of.url, apiKey: of.apiKey } };
  const { phoneNumberId, wabaId, accessToken, appSecret, verifyToken, appId, pin } = of;
  return {
    provider: "cloud",
    name,
    settings: {
      phoneNumberId,
      wabaId,
      accessToken,
      appSecret,
      verifyToken,
      ...(appId && { appId }),
      ...(pin && { pin }),
    },
  };
}

/** A new number: how to connect it, what each way can do, and what is needed for it. */
export function AddDialog({
  onClose,
  onAdded,
}: {
  onClose: () => void;
  /** With what Meta is to say, which is never shown again. */
  onAdded: (one: Instance, verifyToken?: string) => void;
}) {
  const client = useQueryClient();
  const all = useQuery(gateways).data ?? [];
  const pool = all.filter((one) => one.owner === "operator" && !one.draining);
  const mine = all.filter((one) => one.owner === "tenant" && !one.draining);
  const [chosen, choose] = useChoice<"" | Way>("way", ["", "operator", "own", "cloud"]);
  const [known, setKnown] = useState(false);
  const usual: Way = pool.length > 0 ? "operator" : "own";
  const way = chosen === "" || chosen === "operator" ? usual : chosen;
  const [word] = useState(randomWord);
  const form = useForm<NewNumber>(
    schema(way, known),
    {
      name: "",
      kind: "waha",
      gatewayId: "",
      url: "",
      apiKey: "",
      phoneNumberId: "",
      wabaId: "",
      accessToken: "",
      appId: "",
      appSecret: "",
      verifyToken: word,
      pin: "",
    },
    async (values) => {
      const one = await take(api.POST("/api/instances", { headers: once(), body: body(way, values) }));
      put(client, one);
      void client.invalidateQueries({ queryKey: keys.gateways });
      onAdded(one, way === "cloud" ? values.verifyToken : undefined);
    },
  );
  const ways: WayChoice[] = [
    {
      way: "operator",
      title: "add.operator",
      text: pool.length > 0 ? "add.operatorText" : "add.operatorNone",
      off: pool.length === 0,
    },
    { way: "own", title: "add.own", text: "add.ownText" },
    { way: "cloud", title: "add.cloud", text: "add.cloudText" },
  ];
  return (
    <Dialog
      open
      dirty={form.dirty}
      save={form.onSubmit}
      onClose={onClose}
      wide
      title={t("add.title")}
      text={t("add.text")}
      testId="add-dialog"
    >
      <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-5">
        <Ways
          ways={ways}
          way={way}
          onChoose={(next) => {
            choose(next);
            form.clearErrors();
            form.setProblem(undefined);
          }}
        />
        <TextField
          label={t("add.name")}
          hint={t("add.nameHint")}
          placeholder={t("add.namePlaceholder")}
          error={form.error("name")}
          {...form.register("name")}
        />
        {way === "own" && <OwnFields form={form} mine={mine} onKnown={setKnown} />}
        {way === "cloud" && <CloudFields form={form} />}
        <FormProblem text={form.problem} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t("dialog.cancel")}</Button>
          <Button
            type="submit"
            look="filled"
            busy={form.busy && t(way === "cloud" ? "add.cloudBusy" : "add.busy")}
            data-testid="add-go"
          >
            {t(way === "cloud" ? "add.cloudGo" : "add.go")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
