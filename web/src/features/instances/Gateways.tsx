import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowDownToLine, Ellipsis, Pencil, RefreshCw, Server, Trash2, Webhook } from "lucide-react";
import { useState } from "react";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { describe } from "~/api/problem";
import { useSession } from "~/api/session";
import type { Gateway } from "~/api/types";
import { type PlainKey, t } from "~/i18n/t";
import { Chip, type ChipLook } from "~/ui/Chip";
import { Confirm } from "~/ui/Dialog";
import { IconButton } from "~/ui/IconButton";
import { Listing } from "~/ui/Listing";
import { Menu, MenuItem, MenuSeparator } from "~/ui/Menu";
import { Item, Section } from "~/ui/Section";
import { Empty } from "~/ui/states";
import { toast } from "~/ui/toast";
import { When } from "~/ui/When";
import { AddGateway, EditGateway, GatewaySetup } from "./GatewayForms";
import { gateways } from "./queries";

const looks: Record<Gateway["health"]["state"], ChipLook> = {
  ok: "good",
  down: "bad",
  unknown: "plain",
  locked: "warning",
};

type Asking = { what: "edit" | "setup" | "remove"; of: Gateway };

/** The servers that carry numbers: how each is, and what can be done about it. */
export function Gateways() {
  const client = useQueryClient();
  const query = useQuery({ ...gateways, staleTime: 0 });
  const [asking, ask] = useState<Asking>();
  const close = () => ask(undefined);
  const again = () => client.invalidateQueries({ queryKey: keys.gateways });
  const put = (one: Gateway) =>
    client.setQueryData<Gateway[]>(keys.gateways, (all) => all?.map((other) => (other.id === one.id ? one : other)));
  const failed = (error: unknown) => void toast.error(t("toast.notDone", { why: describe(error).detail }));
  const check = useMutation({
    mutationFn: ({ id }: Gateway) =>
      take(api.POST("/api/gateways/{id}/check", { params: { path: { id } }, headers: once() })),
    onSuccess: put,
    onError: failed,
  });
  const drain = useMutation({
    mutationFn: ({ id, draining }: Gateway) =>
      take(
        api.PATCH("/api/gateways/{id}", { params: { path: { id } }, headers: once(), body: { draining: !draining } }),
      ),
    onSuccess: put,
    onError: failed,
  });
  const remove = useMutation({
    mutationFn: ({ id }: Gateway) =>
      take(api.DELETE("/api/gateways/{id}", { params: { path: { id } }, headers: once() })),
    onSuccess: (_, { name }) => {
      toast.success(t("gateways.removed", { name }));
      return again();
    },
    onError: failed,
    onSettled: close,
  });
  return (
    <>
      <AddGateway />
      <Section flush title={t("settings.gateways")} text={t("gateways.text")}>
        <Listing
          query={query}
          items={query.data}
          failed={t("gateways.failed")}
          empty={<Empty title={t("gateways.empty")} text={t("gateways.emptyText")} />}
        >
          {(all) => (
            <ul>
              {all.map((one) => (
                <Row
                  key={one.id}
                  of={one}
                  checking={check.isPending && check.variables.id === one.id}
                  onCheck={() => check.mutate(one)}
                  onDrain={() => drain.mutate(one)}
                  onAsk={(what) => ask({ what, of: one })}
                />
              ))}
            </ul>
          )}
        </Listing>
      </Section>
      {asking?.what === "edit" && <EditGateway of={asking.of} onClose={close} />}
      {asking?.what === "setup" && <GatewaySetup of={asking.of} onClose={close} />}
      <Confirm
        open={asking?.what === "remove"}
        onClose={close}
        title={t("gateways.removeTitle", { name: asking?.of.name ?? "" })}
        text={t("gateways.removeText")}
        keep={t("dialog.cancel")}
        act={t("gateways.remove")}
        busy={remove.isPending && t("form.working")}
        onAct={() => asking && remove.mutate(asking.of)}
      />
    </>
  );
}

function Row({
  of,
  checking,
  onCheck,
  onDrain,
  onAsk,
}: {
  of: Gateway;
  checking: boolean;
  onCheck: () => void;
  onDrain: () => void;
  onAsk: (what: Asking["what"]) => void;
}) {
  const { name, health } = of;
  const mine = of.owner === "tenant";
  const { operator } = useSession();
  const changes = mine || operator;
  const runs = [t(`gateway.kind.${of.kind}` as PlainKey), health.version, health.engine].filter(Boolean).join(" ");
  return (
    <Item>
      <span className="contents" data-testid="gateway" data-id={of.id}>
        <Server size={18} className="text-muted" aria-hidden />
        <span className="min-w-0 flex-1 basis-56">
          <span className="flex flex-wrap items-center gap-1.5">
            <span className="truncate font-medium">{name}</span>
            {!mine && (
              <Chip small look="label">
                {t("gateways.operator")}
              </Chip>
            )}
            {of.draining && (
              <Chip small look="warning">
                {t("gateways.draining")}
              </Chip>
            )}
          </span>
          <span className="block text-12 break-words text-muted">
            {runs} · <span className="tabular-nums">{t("gateways.load", { n: of.instances, of: of.capacity })}</span>
            {of.region && <> · {of.region}</>}
            {of.url && <> · {of.url}</>}
          </span>
          {health.state !== "ok" && health.detail && (
            <span className="block text-12 break-words text-danger">{health.detail}</span>
          )}
        </span>
        <span className="flex items-center gap-2">
          <Chip look={looks[health.state]}>{t(`gateways.health.${health.state}` as PlainKey)}</Chip>
          {health.checkedAt && (
            <span className="text-12 text-muted max-phone:hidden">
              <When at={health.checkedAt} />
            </span>
          )}
        </span>
        <Menu
          label={t("gateways.more", { name })}
          trigger={
            <IconButton
              label={t("gateways.more", { name })}
              icon={<Ellipsis size={18} aria-hidden />}
              className="-me-2"
            />
          }
        >
          <MenuItem icon={<RefreshCw aria-hidden />} disabled={checking} onSelect={onCheck}>
            {t("gateways.check")}
          </MenuItem>
          {changes && (
            <>
              <MenuItem icon={<Pencil aria-hidden />} onSelect={() => onAsk("edit")}>
                {t("gateways.edit")}
              </MenuItem>
              <MenuItem icon={<ArrowDownToLine aria-hidden />} onSelect={onDrain}>
                {t(of.draining ? "gateways.undrain" : "gateways.drain")}
              </MenuItem>
              {mine && of.kind !== "evolution" && (
                <MenuItem icon={<Webhook aria-hidden />} onSelect={() => onAsk("setup")}>
                  {t("gateways.setup")}
                </MenuItem>
              )}
              <MenuSeparator />
              <MenuItem
                icon={<Trash2 aria-hidden />}
                danger
                disabled={of.instances > 0}
                onSelect={() => onAsk("remove")}
              >
                {t("gateways.remove")}
              </MenuItem>
            </>
          )}
        </Menu>
      </span>
    </Item>
  );
}
