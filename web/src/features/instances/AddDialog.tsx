import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, Minus } from "lucide-react";
import { useState } from "react";
import { z } from "zod";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import type { Gateway, Instance } from "~/api/types";
import { type PlainKey, t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { Dialog } from "~/ui/Dialog";
import { PasswordField, TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { useForm } from "~/ui/useForm";
import { put } from "./acts";

type Way = "operator" | "waha";

// What each way can do, side by side. `true` works, `false` does not, a key says it in words.
const comparison: { name: PlainKey; operator: boolean | PlainKey; waha: boolean | PlainKey }[] = [
  { name: "compare.need", operator: "compare.needNothing", waha: "compare.needServer" },
  { name: "compare.who", operator: "compare.whoOperator", waha: "compare.whoYou" },
  { name: "compare.cost", operator: "compare.costPlan", waha: "compare.costServer" },
  { name: "compare.free", operator: true, waha: true },
  { name: "compare.media", operator: true, waha: true },
  { name: "compare.polls", operator: true, waha: true },
  { name: "compare.templates", operator: false, waha: false },
  { name: "compare.calls", operator: false, waha: false },
  { name: "compare.risk", operator: "compare.riskLinked", waha: "compare.riskLinked" },
];

function Cell({ value }: { value: boolean | PlainKey }) {
  if (value === true)
    return (
      <span className="inline-flex items-center gap-1 text-success">
        <Check size={16} aria-hidden />
        <span>{t("compare.yes")}</span>
      </span>
    );
  if (value === false)
    return (
      <span className="inline-flex items-center gap-1 text-muted">
        <Minus size={16} aria-hidden />
        <span>{t("compare.no")}</span>
      </span>
    );
  return t(value);
}

export const gateways = {
  queryKey: keys.gateways,
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Gateway[]> =>
    (await take(api.GET("/api/gateways", { params: { query: { limit: 100 } }, signal }))).items,
};

/** A new number: how to connect it, what each way can do, and what is needed for it. */
export function AddDialog({ onClose, onAdded }: { onClose: () => void; onAdded: (one: Instance) => void }) {
  const client = useQueryClient();
  const pool = useQuery(gateways).data?.filter((one) => one.owner === "operator" && !one.draining) ?? [];
  const [chosen, choose] = useState<Way>();
  const way: Way = chosen ?? (pool.length > 0 ? "operator" : "waha");
  const form = useForm(
    z.object({
      name: z.string().trim().min(1, t("rule.numberNameMissing")).max(60, t("rule.long")),
      url: way === "waha" ? z.url({ protocol: /^https?$/, error: t("rule.url") }) : z.string(),
      apiKey: way === "waha" ? z.string().trim().min(1, t("rule.keyMissing")) : z.string(),
    }),
    { name: "", url: "", apiKey: "" },
    async ({ name, url, apiKey }) => {
      const one = await take(
        api.POST("/api/instances", {
          headers: once(),
          body: way === "operator" ? { name } : { provider: "waha", name, settings: { url, apiKey } },
        }),
      );
      put(client, one);
      onAdded(one);
    },
  );
  const ways: { way: Way; title: PlainKey; text: PlainKey; off: boolean }[] = [
    {
      way: "operator",
      title: "add.operator",
      text: pool.length > 0 ? "add.operatorText" : "add.operatorNone",
      off: pool.length === 0,
    },
    { way: "waha", title: "add.waha", text: "add.wahaText", off: false },
  ];
  return (
    <Dialog open onClose={onClose} wide title={t("add.title")} text={t("add.text")} testId="add-dialog">
      <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-5">
        <div role="radiogroup" aria-label={t("add.how")} className="grid gap-3 phone:grid-cols-2">
          {ways.map((one) => (
            <button
              key={one.way}
              type="button"
              role="radio"
              aria-checked={way === one.way}
              disabled={one.off}
              onClick={() => choose(one.way)}
              data-testid={`way-${one.way}`}
              className={cn(
                "press flex flex-col gap-0.5 rounded-card border px-4 py-3 text-start",
                way === one.way
                  ? "border-transparent bg-selected outline-2 outline-primary"
                  : "border-control bg-raised hover:bg-hover",
                "disabled:border-border disabled:bg-well disabled:text-muted",
              )}
            >
              <span className="font-strong">{t(one.title)}</span>
              <span className="text-13 text-muted">{t(one.text)}</span>
            </button>
          ))}
        </div>
        <div className="overflow-x-auto rounded-card border border-border">
          <table className="w-full text-13">
            <caption className="sr-only">{t("compare.title")}</caption>
            <thead>
              <tr className="border-b border-border text-start text-muted">
                <th scope="col" className="h-9 px-3 text-start font-medium">
                  {t("compare.what")}
                </th>
                {ways.map((one) => (
                  <th
                    key={one.way}
                    scope="col"
                    className={cn("px-3 text-start font-medium", way === one.way && "bg-selected text-text")}
                  >
                    {t(one.title)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {comparison.map((row) => (
                <tr key={row.name} className="border-b border-border last:border-0">
                  <th scope="row" className="px-3 py-2 text-start font-regular text-muted">
                    {t(row.name)}
                  </th>
                  {ways.map((one) => (
                    <td key={one.way} className={cn("px-3 py-2", way === one.way && "bg-selected")}>
                      <Cell value={row[one.way]} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <TextField
          label={t("add.name")}
          hint={t("add.nameHint")}
          placeholder={t("add.namePlaceholder")}
          error={form.error("name")}
          {...form.register("name")}
        />
        {way === "waha" && (
          <div className="grid gap-4 phone:grid-cols-2">
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
              hint={t("add.apiKeyHint")}
              error={form.error("apiKey")}
              {...form.register("apiKey")}
            />
          </div>
        )}
        <FormProblem text={form.problem} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t("dialog.cancel")}</Button>
          <Button type="submit" look="filled" busy={form.busy && t("add.busy")}>
            {t("add.go")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
