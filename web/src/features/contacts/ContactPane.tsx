import { useQuery } from "@tanstack/react-query";
import { Check, Copy, PanelRightClose, Pencil, X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { people } from "~/api/people";
import { describe } from "~/api/problem";
import { useSession } from "~/api/session";
import { type Contact, may } from "~/api/types";
import { day, phone } from "~/i18n/format";
import { nameOf } from "~/i18n/name";
import { type PlainKey, t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Chip, type ChipLook } from "~/ui/Chip";
import { copy } from "~/ui/copy";
import { inputDense } from "~/ui/Field";
import { IconButton } from "~/ui/IconButton";
import { Bone, Failed, Loading } from "~/ui/states";
import { toast } from "~/ui/toast";
import { useNow } from "~/ui/useNow";
import { When } from "~/ui/When";
import type { localTime } from "./localTime";
import { contact, useContactChange } from "./queries";

const looks: Record<Contact["status"], ChipLook> = {
  new: "primary",
  active: "label",
  paused: "warning",
  archived: "plain",
};
export const StatusChip = ({ status }: { status: Contact["status"] }) => (
  <Chip look={looks[status]}>{t(`contact.status.${status}` as PlainKey)}</Chip>
);

function Name({ of, editable }: { of: Contact; editable: boolean }) {
  const change = useContactChange(of.id);
  const [draft, setDraft] = useState<string>();
  if (draft === undefined)
    return (
      <div className="group flex items-center gap-1">
        <span className="text-16 leading-[22px] font-strong break-words">{nameOf(of)}</span>
        {editable && (
          <IconButton
            label={t("contact.rename")}
            icon={<Pencil size={14} aria-hidden />}
            onClick={() => setDraft(of.name ?? "")}
            className="size-7!"
          />
        )}
      </div>
    );
  return (
    <form
      className="flex items-center gap-1"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(
          { name: draft.trim() },
          {
            onSuccess: () => setDraft(undefined),
            onError: (error) => toast.error(t("toast.notChanged", { why: describe(error).detail })),
          },
        );
      }}
    >
      <input
        autoFocus
        aria-label={t("contact.name")}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          setDraft(undefined);
        }}
        className={`${inputDense} w-full min-w-0`}
      />
      <IconButton
        type="submit"
        label={t("contact.saveRename")}
        icon={<Check size={16} aria-hidden />}
        disabled={change.isPending}
      />
      <IconButton label={t("dialog.cancel")} icon={<X size={16} aria-hidden />} onClick={() => setDraft(undefined)} />
    </form>
  );
}

function Row({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{label}</dt>
      <dd className="flex min-w-0 flex-wrap items-center gap-1.5 break-words">{children}</dd>
    </>
  );
}

/** What time it is for them, when that is not what it is here. */
function LocalTime({ phone }: { phone: string | null | undefined }) {
  const now = useNow();
  // The table of countries is not needed before somebody looks at a contact.
  const [ask, setAsk] = useState<{ of: typeof localTime }>();
  useEffect(() => {
    // Without a network there is no table, and no line.
    import("./localTime").then(
      (all) => setAsk({ of: all.localTime }),
      () => undefined,
    );
  }, []);
  const there = ask?.of(phone, now);
  if (!there) return null;
  return (
    <Row label={t("contact.localTime")}>
      <span data-testid="local-time" title={t("contact.localTimeHint")}>
        <time className="tabular-nums">{there.time}</time> <span className="text-muted">({there.country})</span>
      </span>
    </Row>
  );
}

const list = "grid grid-cols-[88px_minmax(0,1fr)] gap-x-2 gap-y-1.5 text-13";

/** Everything known of the person on the other side. */
export function ContactPane({
  id,
  talksTo,
  onClose,
  children,
}: {
  id: string;
  talksTo?: string;
  onClose: () => void;
  children?: ReactNode;
}) {
  const session = useSession();
  const query = useQuery(contact(id));
  const { data: team = [] } = useQuery(people);
  const change = useContactChange(id);
  const editable = may(session, "agent");
  const of = query.data;
  const failed = (error: unknown) => toast.error(t("toast.notChanged", { why: describe(error).detail }));
  const put = (status: Contact["status"], before: Contact) =>
    change.mutate(
      { status },
      {
        onError: failed,
        onSuccess: () => {
          if (status !== "archived") return;
          const undo = () => change.mutate({ status: before.status }, { onError: failed });
          toast.success(t("toast.archived", { name: nameOf(before) }), {
            id: `archived-${before.id}`,
            action: { label: t("toast.undo"), onClick: undo },
          });
        },
      },
    );
  return (
    <section
      aria-label={t("contact.title")}
      data-testid="contact-pane"
      className="flex h-full min-h-0 flex-col bg-surface"
    >
      <header className="flex h-14 shrink-0 items-center border-b border-border ps-4 pe-2">
        <h2 className="text-15 font-strong">{t("contact.title")}</h2>
        <IconButton
          label={t("contact.hide")}
          icon={<PanelRightClose size={18} aria-hidden className="rtl:-scale-x-100" />}
          onClick={onClose}
          className="ms-auto"
          tip="bottom"
        />
      </header>
      {query.isError && !of ? (
        <Failed error={query.error} what={t("contact.failed")} onRetry={() => void query.refetch()} />
      ) : !of ? (
        <Loading>
          <div className="flex items-center gap-3 p-4">
            <Bone className="size-14 rounded-full" />
            <Bone className="w-32" />
          </div>
        </Loading>
      ) : (
        <div className="min-h-0 flex-1 overflow-y-auto px-4 [&>*]:border-b [&>*]:border-border [&>*]:py-3 [&>*:last-child]:border-0">
          <div className="flex items-center gap-3">
            <Avatar id={of.id} name={of.name ?? ""} size={56} />
            <div className="min-w-0 flex-1">
              <Name key={of.id} of={of} editable={editable} />
              {of.phone && (
                <div className="flex items-center gap-0.5 text-13 text-muted tabular-nums">
                  {phone(of.phone)}
                  <IconButton
                    label={t("contact.copyNumber")}
                    icon={<Copy size={14} aria-hidden />}
                    className="size-7!"
                    onClick={() => copy(of.phone ?? "")}
                  />
                </div>
              )}
            </div>
          </div>
          {children && <div>{children}</div>}
          <dl className={list}>
            <Row label={t("contact.status")}>
              {editable && of.status !== "new" ? (
                <select
                  aria-label={t("contact.status")}
                  value={of.status}
                  onChange={(event) => put(event.target.value as Contact["status"], of)}
                  className={inputDense}
                >
                  {(["active", "paused", "archived"] as const).map((status) => (
                    <option key={status} value={status}>
                      {t(`contact.status.${status}` as PlainKey)}
                    </option>
                  ))}
                </select>
              ) : (
                <StatusChip status={of.status} />
              )}
            </Row>
            <Row label={t("contact.owner")}>
              {editable ? (
                <select
                  aria-label={t("contact.owner")}
                  value={of.ownerId ?? ""}
                  onChange={(event) => change.mutate({ ownerId: event.target.value || null }, { onError: failed })}
                  className={`${inputDense} max-w-full`}
                >
                  <option value="">{t("contact.noOwner")}</option>
                  {team.map((one) => (
                    <option key={one.id} value={one.id}>
                      {one.name}
                    </option>
                  ))}
                </select>
              ) : (
                (team.find((one) => one.id === of.ownerId)?.name ?? t("contact.noOwner"))
              )}
            </Row>
            {talksTo && <Row label={t("contact.talksTo")}>{talksTo}</Row>}
            <LocalTime phone={of.phone} />
            <Row label={t("contact.since")}>
              <time dateTime={of.createdAt}>{day(of.createdAt)}</time>
            </Row>
            {of.lastMessageAt && (
              <Row label={t("contact.lastMessage")}>
                <When at={of.lastMessageAt} />
              </Row>
            )}
            {of.optedOutAt && (
              <Row label={t("contact.marketing")}>
                <Chip look="bad">{t("contact.optedOut")}</Chip>
                <time dateTime={of.optedOutAt} className="text-12 text-muted">
                  {day(of.optedOutAt)}
                </time>
              </Row>
            )}
          </dl>
          {Object.keys(of.fields ?? {}).length > 0 && (
            <div>
              <h3 className="mb-2 text-13 font-strong">{t("contact.fields")}</h3>
              <dl className={list}>
                {Object.entries(of.fields).map(([name, value]) => (
                  <Row key={name} label={name}>
                    {typeof value === "object" ? JSON.stringify(value) : String(value)}
                  </Row>
                ))}
              </dl>
            </div>
          )}
          {of.identities.length > 1 && (
            <div>
              <h3 className="mb-2 text-13 font-strong">{t("contact.identities")}</h3>
              <dl className={list}>
                {of.identities.map((one) => (
                  <Row key={one.kind + one.value} label={t(`contact.identity.${one.kind}` as PlainKey)}>
                    <span className="break-all tabular-nums">
                      {one.kind === "phone" ? phone(one.value) : one.value}
                    </span>
                  </Row>
                ))}
              </dl>
            </div>
          )}
        </div>
      )}
    </section>
  );
}
