import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, KeyRound } from "lucide-react";
import { useState } from "react";
import { z } from "zod";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { describe } from "~/api/problem";
import type { paths } from "~/api/schema";
import type { ApiKey, MadeApiKey } from "~/api/types";
import { day } from "~/i18n/format";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { copy } from "~/ui/copy";
import { Confirm } from "~/ui/Dialog";
import { inputDense, SelectField, TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { Listing } from "~/ui/Listing";
import { Item, Section } from "~/ui/Section";
import { Empty } from "~/ui/states";
import { toast } from "~/ui/toast";
import { Said, useForm } from "~/ui/useForm";
import { useUnsaved } from "~/ui/useUnsaved";
import { When } from "~/ui/When";
import { required } from "./rules";
import { roleName, roles } from "./Team";

const DAY = 24 * 60 * 60_000;

/** The first word after `/api/`: what a scope names. */
type RoomOf<Path> = Path extends `/api/${infer Rest}` ? (Rest extends `${infer Room}/${string}` ? Room : Rest) : never;
const rooms: RoomOf<keyof paths>[] = [
  "contacts",
  "conversations",
  "messages",
  "media",
  "notes",
  "labels",
  "quick-replies",
  "search",
  "live",
  "instances",
  "gateways",
  "users",
  "invitations",
  "tenant",
  "audit",
  "jobs",
  "api-keys",
];
const pathOf = (room: string): string => `/api/${room}`;

function Make() {
  const client = useQueryClient();
  const [made, setMade] = useState<MadeApiKey>();
  const form = useForm(
    z.object({
      name: required(t("rule.keyNameMissing")),
      role: z.enum(["viewer", "agent", "manager", "admin"]),
      days: z.string(),
      reach: z.enum(["all", "some"]),
      may: z.record(z.string(), z.enum(["", "read", "write"])),
    }),
    { name: "", role: "agent", days: "", reach: "all", may: {} },
    async ({ name, role, days, reach, may }) => {
      const expiresAt = days ? new Date(Date.now() + Number(days) * DAY).toISOString() : undefined;
      const scopes = reach === "all" ? [] : rooms.filter((room) => may[room]).map((room) => `${room}:${may[room]}`);
      // No scope at all would open everything.
      if (reach === "some" && scopes.length === 0) throw new Said(t("keys.noScope"), "reach");
      const body = { name, role, scopes, ...(expiresAt && { expiresAt }) };
      setMade(await take(api.POST("/api/api-keys", { headers: once(), body })));
      form.reset();
      await client.invalidateQueries({ queryKey: keys.apiKeys });
    },
  );
  useUnsaved(form.dirty, form.onSubmit);
  return (
    <Section title={t("keys.new")} text={t("keys.newText")}>
      <form noValidate onSubmit={form.onSubmit} className="grid items-start gap-3 phone:grid-cols-[1fr_130px_150px]">
        <TextField label={t("keys.name")} autoComplete="off" error={form.error("name")} {...form.register("name")} />
        <SelectField label={t("field.role")} {...form.register("role")}>
          {roles.map((role) => (
            <option key={role} value={role}>
              {roleName(role)}
            </option>
          ))}
        </SelectField>
        <SelectField label={t("keys.expires")} {...form.register("days")}>
          <option value="">{t("keys.never")}</option>
          {["30", "90", "365"].map((days) => (
            <option key={days} value={days}>
              {t("keys.days", { n: Number(days) })}
            </option>
          ))}
        </SelectField>
        <div className="flex flex-col gap-3 phone:col-span-3">
          <SelectField label={t("keys.reach")} error={form.error("reach")} {...form.register("reach")}>
            <option value="all">{t("keys.reachAll")}</option>
            <option value="some">{t("keys.reachSome")}</option>
          </SelectField>
          {form.watch("reach") === "some" && (
            <fieldset>
              <legend className="mb-2 text-12 text-muted">{t("keys.scopesHint")}</legend>
              <div className="grid gap-x-6 gap-y-1.5 phone:grid-cols-2">
                {rooms.map((room) => (
                  <label key={room} className="flex items-center justify-between gap-2">
                    <code className="code min-w-0 truncate text-12">{pathOf(room)}</code>
                    <select className={inputDense} {...form.register(`may.${room}`)}>
                      <option value="">{t("keys.scopeNone")}</option>
                      <option value="read">{t("keys.scopeRead")}</option>
                      <option value="write">{t("keys.scopeWrite")}</option>
                    </select>
                  </label>
                ))}
              </div>
            </fieldset>
          )}
          <FormProblem text={form.problem} />
          <Button type="submit" look="filled" className="self-start" busy={form.busy && t("keys.making")}>
            {t("keys.make")}
          </Button>
        </div>
      </form>
      {made?.key && (
        <div className="mt-4 rounded-control bg-warning-tint px-3.5 py-3 text-13 text-warning-text" role="status">
          <p className="font-strong">{t("keys.once", { name: made.name })}</p>
          <div className="mt-2 flex items-center gap-2">
            <code
              className="code min-w-0 flex-1 rounded-small bg-raised px-2 py-1.5 text-12 break-all text-text"
              data-testid="api-key"
            >
              {made.key}
            </code>
            <Button size="dense" icon={<Copy size={16} aria-hidden />} onClick={() => copy(made.key ?? "")}>
              {t("action.copy")}
            </Button>
          </div>
        </div>
      )}
    </Section>
  );
}

/** Keys for programs: what each may do, until when, and when it was last used. */
export function ApiKeys() {
  const client = useQueryClient();
  const [ending, setEnding] = useState<ApiKey>();
  const query = useQuery({
    queryKey: keys.apiKeys,
    queryFn: async ({ signal }) =>
      (await take(api.GET("/api/api-keys", { params: { query: { limit: 100 } }, signal }))).items,
    staleTime: 0,
  });
  const end = useMutation({
    mutationFn: ({ id }: ApiKey) =>
      take(api.DELETE("/api/api-keys/{id}", { params: { path: { id } }, headers: once() })),
    onError: (error) => toast.error(describe(error).detail),
    onSettled: () => {
      setEnding(undefined);
      void client.invalidateQueries({ queryKey: keys.apiKeys });
    },
  });
  return (
    <>
      <Make />
      <Section flush title={t("settings.apiKeys")}>
        <Listing
          query={query}
          items={query.data}
          failed={t("keys.failed")}
          empty={<Empty title={t("keys.empty")} text={t("keys.emptyText")} />}
        >
          {(all) => (
            <ul>
              {all.map((one) => (
                <Item key={one.id}>
                  <KeyRound size={18} className="text-muted" aria-hidden />
                  <span className="min-w-0 flex-1 basis-48">
                    <span className="block truncate font-medium">{one.name}</span>
                    <span className="text-12 text-muted">
                      <span className="code">{one.prefix}…</span> · {roleName(one.role)} ·{" "}
                      {one.expiresAt ? t("keys.until", { day: day(one.expiresAt) }) : t("keys.never")}
                    </span>
                    {one.scopes.length > 0 && (
                      <span className="code block text-12 break-words text-muted">{one.scopes.join(", ")}</span>
                    )}
                  </span>
                  <span className="text-12 text-muted">
                    {one.lastUsedAt ? <When at={one.lastUsedAt} /> : t("keys.unused")}
                  </span>
                  <Button size="dense" onClick={() => setEnding(one)}>
                    {t("keys.end")}
                  </Button>
                </Item>
              ))}
            </ul>
          )}
        </Listing>
      </Section>
      <Confirm
        open={!!ending}
        onClose={() => setEnding(undefined)}
        title={t("keys.endTitle", { name: ending?.name ?? "" })}
        text={t("keys.endText")}
        keep={t("dialog.cancel")}
        act={t("keys.end")}
        busy={end.isPending && t("form.working")}
        onAct={() => ending && end.mutate(ending)}
      />
    </>
  );
}
