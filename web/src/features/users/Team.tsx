import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, Trash2 } from "lucide-react";
import { useState } from "react";
import { z } from "zod";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { people } from "~/api/people";
import { describe } from "~/api/problem";
import { useSession } from "~/api/session";
import { type Invitation, may, type Role, type User } from "~/api/types";
import { day } from "~/i18n/format";
import { type PlainKey, t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Button } from "~/ui/Button";
import { copy } from "~/ui/copy";
import { Confirm } from "~/ui/Dialog";
import { inputDense, SelectField, TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { IconButton } from "~/ui/IconButton";
import { Listing } from "~/ui/Listing";
import { Presence, PresenceWord } from "~/ui/Presence";
import { Item, Section } from "~/ui/Section";
import { Failed } from "~/ui/states";
import { toast } from "~/ui/toast";
import { useForm } from "~/ui/useForm";
import { useUnsaved } from "~/ui/useUnsaved";
import { email } from "./rules";

export const roles: Role[] = ["viewer", "agent", "manager", "admin"];
export const roleName = (role: Role): string => t(`role.${role}` as PlainKey);

function CopyLink({ url }: { url: string }) {
  return (
    <span
      className="order-last flex w-full items-center gap-1 rounded-control border border-border bg-surface ps-3 pe-1"
      data-testid="invitation-link"
    >
      <span className="code min-w-0 flex-1 truncate text-12">{url}</span>
      <IconButton label={t("team.copyLink")} icon={<Copy size={16} aria-hidden />} onClick={() => copy(url)} />
    </span>
  );
}

function Invite() {
  const client = useQueryClient();
  const [made, setMade] = useState<Invitation>();
  const form = useForm(
    z.object({ email: email(), role: z.enum(["viewer", "agent", "manager", "admin"]) }),
    { email: "", role: "agent" },
    async (values) => {
      setMade(await take(api.POST("/api/invitations", { headers: once(), body: values })));
      form.reset();
      await client.invalidateQueries({ queryKey: keys.invitations });
    },
  );
  useUnsaved(form.dirty, form.onSubmit);
  return (
    <Section title={t("team.invite")} text={t("team.inviteText")}>
      <form noValidate onSubmit={form.onSubmit} className="grid items-start gap-3 phone:grid-cols-[1fr_140px_auto]">
        <TextField
          label={t("field.email")}
          type="email"
          inputMode="email"
          autoComplete="off"
          error={form.error("email")}
          {...form.register("email")}
        />
        <SelectField label={t("field.role")} {...form.register("role")}>
          {roles.map((role) => (
            <option key={role} value={role}>
              {roleName(role)}
            </option>
          ))}
        </SelectField>
        <Button type="submit" look="filled" className="phone:mt-6" busy={form.busy && t("team.inviting")}>
          {t("team.inviteGo")}
        </Button>
        <div className="empty:hidden phone:col-span-3">
          <FormProblem text={form.problem} />
        </div>
      </form>
      <p className="mt-2 text-12 text-muted">{t(`team.can.${form.watch("role")}` as PlainKey)}</p>
      {made?.url && (
        <div className="mt-4 flex flex-col gap-1.5" role="status">
          <span className="text-13 font-medium">{t("team.invited", { email: made.email })}</span>
          <CopyLink url={made.url} />
        </div>
      )}
    </Section>
  );
}

function Invitations() {
  const client = useQueryClient();
  const query = useQuery({
    queryKey: keys.invitations,
    queryFn: async ({ signal }) =>
      (await take(api.GET("/api/invitations", { params: { query: { limit: 100 } }, signal }))).items,
  });
  const drop = useMutation({
    mutationFn: (id: string) =>
      take(api.DELETE("/api/invitations/{id}", { params: { path: { id } }, headers: once() })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.invitations }),
    onError: (error) => toast.error(describe(error).detail),
  });
  if (query.isError)
    return <Failed error={query.error} what={t("team.invitationsFailed")} onRetry={() => void query.refetch()} />;
  if (!query.data?.length) return null;
  return (
    <Section flush title={t("team.open")}>
      <ul>
        {query.data.map((one) => (
          <Item key={one.id}>
            <span className="min-w-0 flex-1 basis-48">
              <span className="block truncate font-medium">{one.email}</span>
              <span className="text-12 text-muted">
                {roleName(one.role)} · {t("team.until", { day: day(one.expiresAt) })}
              </span>
            </span>
            {one.url && <CopyLink url={one.url} />}
            <Button size="dense" disabled={drop.isPending} onClick={() => drop.mutate(one.id)}>
              {t("team.withdraw")}
            </Button>
          </Item>
        ))}
      </ul>
    </Section>
  );
}

/** Who works here, as what; and who is invited. */
export function Team() {
  const client = useQueryClient();
  const session = useSession();
  const admin = may(session, "admin");
  const query = useQuery({ ...people, staleTime: 0 });
  const [leaving, setLeaving] = useState<User>();
  const change = useMutation({
    mutationFn: ({ id, role }: { id: string; role: Role }) =>
      take(api.PATCH("/api/users/{id}", { params: { path: { id } }, headers: once(), body: { role } })),
    onSuccess: (after) => toast.success(t("toast.roleChanged", { name: after.name, role: roleName(after.role) })),
    onError: (error) => toast.error(describe(error).detail),
    onSettled: () => client.invalidateQueries({ queryKey: keys.users }),
  });
  const remove = useMutation({
    mutationFn: ({ id }: User) => take(api.DELETE("/api/users/{id}", { params: { path: { id } }, headers: once() })),
    onSuccess: (_, { name }) => toast.success(t("toast.removed", { name })),
    onError: (error) => toast.error(describe(error).detail),
    onSettled: () => {
      setLeaving(undefined);
      void client.invalidateQueries({ queryKey: keys.users });
    },
  });
  return (
    <>
      {admin && <Invite />}
      <Section flush title={t("settings.team")} text={query.data && t("team.count", { n: query.data.length })}>
        <Listing query={query} items={query.data} failed={t("team.failed")} empty={null}>
          {(all) => (
            <ul>
              {all.map((one) => (
                <Item key={one.id}>
                  <Presence of={one}>
                    <Avatar id={one.id} name={one.name} size={32} />
                  </Presence>
                  <span className="min-w-0 flex-1 basis-40">
                    <span className="block truncate font-medium">
                      {one.name}
                      {one.id === session.user.id && (
                        <span className="ms-1.5 font-regular text-muted">{t("team.you")}</span>
                      )}
                    </span>
                    <span className="block truncate text-12 text-muted">
                      <PresenceWord of={one} /> · {one.email}
                    </span>
                  </span>
                  {/* Without an admin nobody could make another. */}
                  {admin && !(one.role === "admin" && all.filter((other) => other.role === "admin").length === 1) ? (
                    <>
                      <select
                        aria-label={t("team.roleOf", { name: one.name })}
                        value={one.role}
                        onChange={(event) => change.mutate({ id: one.id, role: event.target.value as Role })}
                        className={inputDense}
                      >
                        {roles.map((role) => (
                          <option key={role} value={role}>
                            {roleName(role)}
                          </option>
                        ))}
                      </select>
                      <IconButton
                        label={t("team.remove", { name: one.name })}
                        icon={<Trash2 size={16} aria-hidden />}
                        onClick={() => setLeaving(one)}
                      />
                    </>
                  ) : (
                    <span className="text-13 text-muted">{roleName(one.role)}</span>
                  )}
                </Item>
              ))}
            </ul>
          )}
        </Listing>
      </Section>
      {admin && <Invitations />}
      <Confirm
        open={!!leaving}
        onClose={() => setLeaving(undefined)}
        title={t("team.removeTitle", { name: leaving?.name ?? "" })}
        text={t("team.removeText")}
        keep={t("dialog.cancel")}
        act={t("team.removeGo")}
        busy={remove.isPending && t("form.working")}
        onAct={() => leaving && remove.mutate(leaving)}
      />
    </>
  );
}
