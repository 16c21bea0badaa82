import { useQuery } from "@tanstack/react-query";
import {
  ArrowRightLeft,
  CirclePause,
  Ellipsis,
  History,
  Link2,
  LogOut,
  Pause,
  Pencil,
  Play,
  PlugZap,
  QrCode,
  RefreshCw,
  Smartphone,
  Trash2,
} from "lucide-react";
import { useState } from "react";
import { z } from "zod";
import { useSession } from "~/api/session";
import { type Instance, may } from "~/api/types";
import { clock, daysApart, moment, phone } from "~/i18n/format";
import { t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Button } from "~/ui/Button";
import { Chip } from "~/ui/Chip";
import { cn } from "~/ui/cn";
import { copy } from "~/ui/copy";
import { Confirm, Dialog } from "~/ui/Dialog";
import { TextField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { IconButton } from "~/ui/IconButton";
import { Menu, MenuItem, MenuSeparator } from "~/ui/Menu";
import { toast } from "~/ui/toast";
import { useForm } from "~/ui/useForm";
import { useNarrow } from "~/ui/useNarrow";
import { useNow } from "~/ui/useNow";
import { When } from "~/ui/When";
import { useDelete, useInstanceAct, useRename } from "./acts";
import { MoveDialog } from "./MoveDialog";
import { elsewhere, gateways } from "./queries";
import { canPause, isCutOff, isLinked, providerName, reasonOf, StateChip } from "./state";
import { ToGateways } from "./ToGateways";

function Rename({ of, onClose }: { of: Instance; onClose: () => void }) {
  const rename = useRename();
  const form = useForm(
    z.object({ name: z.string().trim().min(1, t("rule.numberNameMissing")).max(60, t("rule.long")) }),
    { name: of.name },
    async ({ name }) => {
      await rename.mutateAsync({ id: of.id, name });
      onClose();
    },
  );
  return (
    <Dialog
      open
      dirty={form.dirty}
      save={form.onSubmit}
      onClose={onClose}
      title={t("number.rename", { name: of.name })}
      testId="rename-dialog"
    >
      <form noValidate onSubmit={form.onSubmit} className="flex flex-col gap-4">
        <TextField
          label={t("add.name")}
          autoComplete="off"
          autoFocus
          error={form.error("name")}
          {...form.register("name")}
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

/** A moment that is near: its time, with its day where that is another. */
const soon = (at: string): string => (daysApart(Date.now(), Date.parse(at)) === 0 ? clock(at) : moment(at));

/** How much of the day's new chats is used; the figures stand beside it. */
function Budget({ used, of }: { used: number; of: number }) {
  const part = of > 0 ? Math.min(1, used / of) : 1;
  return (
    <span aria-hidden="true" className="h-1.5 w-16 overflow-hidden rounded-full bg-well">
      <span
        className={cn("block h-full", part >= 1 ? "bg-warning" : "bg-primary")}
        style={{ width: `${100 * part}%` }}
      />
    </span>
  );
}

/** One number: what it is called, whether it works, and what to do when it does not. */
export function NumberCard({
  of,
  onLink,
  onConnection,
}: {
  of: Instance;
  onLink: () => void;
  onConnection: () => void;
}) {
  const now = useNow();
  const session = useSession();
  const act = useInstanceAct();
  const remove = useDelete();
  const [asking, ask] = useState<"rename" | "move" | "logout" | "delete">();
  const small = useNarrow(420);
  const admin = may(session, "admin");
  const close = () => ask(undefined);
  const { id, name, state, sync } = of;
  const reason = reasonOf(of);
  const cutOff = isCutOff(of);
  const linked = isLinked(of);
  const places = useQuery({ ...gateways, enabled: admin && linked });
  const others = elsewhere(places.data ?? [], of.gateway?.id);
  const works = state === "connected" || state === "paused";
  // What it did is worth knowing when it is down, too.
  const used = works || !!of.phone;
  const stopped = of.trouble === "stopped";
  // To resume is the next thing to do there.
  const idle =
    !stopped &&
    (state === "disconnected" ||
      state === "attention" ||
      state === "new" ||
      state === "banned" ||
      of.linkStep === "expired" ||
      of.linkStep === "refused");
  return (
    <article
      aria-label={name}
      data-testid="number-card"
      data-id={id}
      className="flex flex-col gap-3 rounded-card border border-border bg-raised p-4 shadow-card"
    >
      <div className="flex items-center gap-2.5">
        <Avatar id={id} name="" icon={<Smartphone size={20} aria-hidden />} className="bg-tone-4 text-on-tone-4" />
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-strong">{name}</h2>
          <div className="text-13 text-muted tabular-nums">{of.phone ? phone(of.phone) : t("number.noPhone")}</div>
        </div>
        {!small && <StateChip of={of} />}
        {admin && (
          <Menu
            label={t("number.more", { name })}
            trigger={
              <IconButton
                label={t("number.more", { name })}
                icon={<Ellipsis size={18} aria-hidden />}
                className="-me-2 -ms-1"
              />
            }
          >
            <MenuItem icon={<Pencil aria-hidden />} onSelect={() => ask("rename")}>
              {t("number.renameShort")}
            </MenuItem>
            <MenuItem icon={<RefreshCw aria-hidden />} onSelect={() => act.mutate({ id, act: "sync-status" })}>
              {t("number.syncStatus")}
            </MenuItem>
            <MenuItem icon={<PlugZap aria-hidden />} onSelect={onConnection}>
              {t("number.connection")}
            </MenuItem>
            {linked && (
              <MenuItem
                icon={<History aria-hidden />}
                disabled={state !== "connected" || sync.state === "running"}
                onSelect={() =>
                  act.mutate({ id, act: "sync-chats" }, { onSuccess: () => toast(t("toast.syncing", { name })) })
                }
              >
                {t("number.syncChats")}
              </MenuItem>
            )}
            {of.hookUrl && (
              <MenuItem icon={<Link2 aria-hidden />} onSelect={() => copy(of.hookUrl ?? "")}>
                {t("number.copyHook")}
              </MenuItem>
            )}
            <MenuSeparator />
            {linked && (
              <MenuItem icon={<QrCode aria-hidden />} onSelect={onLink}>
                {t("number.linkAgain")}
              </MenuItem>
            )}
            {linked && others.length > 0 && (
              <MenuItem icon={<ArrowRightLeft aria-hidden />} onSelect={() => ask("move")}>
                {t("number.move")}
              </MenuItem>
            )}
            {state === "connected" && canPause(of) && (
              <MenuItem icon={<Pause aria-hidden />} onSelect={() => act.mutate({ id, act: "stop" })}>
                {t("number.stop")}
              </MenuItem>
            )}
            <MenuItem icon={<LogOut aria-hidden />} onSelect={() => ask("logout")}>
              {t(linked ? "number.logout" : "number.deregister")}
            </MenuItem>
            <MenuItem icon={<Trash2 aria-hidden />} danger onSelect={() => ask("delete")}>
              {t("number.delete")}
            </MenuItem>
          </Menu>
        )}
      </div>
      <div className="flex flex-wrap gap-1.5">
        {small && <StateChip of={of} />}
        <Chip>{providerName(of)}</Chip>
        {of.gateway?.owner === "tenant" && linked && <Chip look="label">{of.gateway.name}</Chip>}
        {of.pushName && <Chip look="label">{of.pushName}</Chip>}
      </div>
      {!works && (
        <p className="text-13">
          {reason ??
            t(
              !linked
                ? "number.offText"
                : state === "linking"
                  ? "number.linkingText"
                  : state === "new"
                    ? "number.newText"
                    : "number.downText",
            )}
        </p>
      )}
      {used && (
        <dl className="grid grid-cols-[1fr_auto] gap-x-2 gap-y-1.5 text-13">
          <dt className="text-muted">{t("number.lastIn")}</dt>
          <dd className="text-end tabular-nums">
            {of.lastInboundAt ? <When at={of.lastInboundAt} /> : t("number.none")}
          </dd>
          <dt className="text-muted">{t("number.lastOut")}</dt>
          <dd className="text-end tabular-nums">
            {of.lastOutboundAt ? <When at={of.lastOutboundAt} /> : t("number.none")}
          </dd>
          <dt className="text-muted">{t("number.sentToday")}</dt>
          <dd className="text-end tabular-nums" data-testid="sent-today">
            {of.sentToday}
          </dd>
          {of.newChatsBudget !== null && (
            <>
              <dt className="text-muted" title={t("number.newChatsHint")}>
                {t("number.newChats")}
              </dt>
              <dd className="flex items-center justify-end gap-2 tabular-nums" data-testid="new-chats">
                <Budget used={of.newChatsToday} of={of.newChatsBudget} />
                {t("number.newChatsOf", { n: of.newChatsToday, of: of.newChatsBudget })}
              </dd>
            </>
          )}
          {sync && sync.state !== "idle" && (
            <>
              <dt className="text-muted">{t("number.sync")}</dt>
              <dd className="text-end tabular-nums" data-testid="sync">
                {sync.state === "failed"
                  ? t("number.syncFailed")
                  : sync.state === "running"
                    ? sync.total
                      ? t("number.syncRunningOf", { n: sync.chats, total: sync.total })
                      : t("number.syncRunning", { n: sync.chats })
                    : t("number.syncDone", { n: sync.chats })}
              </dd>
            </>
          )}
        </dl>
      )}
      {state === "connected" && of.newChatsPausedUntil && Date.parse(of.newChatsPausedUntil) > now && (
        <p
          data-testid="new-chats-paused"
          className="flex items-start gap-2 rounded-control bg-warning-tint px-3 py-2 text-13 text-warning-text"
        >
          <CirclePause size={16} aria-hidden className="mt-px shrink-0" />
          {t("number.newChatsPaused", { at: soon(of.newChatsPausedUntil) })}
        </p>
      )}
      {/* It waits by itself, and goes on by itself. */}
      {state === "paused" && reason && <p className="text-13">{reason}</p>}
      {sync?.state === "running" && sync.total ? (
        <div
          className="h-1.5 overflow-hidden rounded-full bg-well"
          role="progressbar"
          aria-label={t("number.sync")}
          aria-valuenow={sync.chats}
          aria-valuemax={sync.total}
        >
          <div className="h-full bg-primary" style={{ width: `${(100 * sync.chats) / sync.total}%` }} />
        </div>
      ) : null}
      {cutOff && (
        <div className="mt-auto flex flex-wrap items-center gap-x-3 gap-y-1.5">
          <Button
            size="dense"
            look="filled"
            icon={<RefreshCw size={16} aria-hidden />}
            onClick={() => act.mutate({ id, act: "sync-status" })}
            busy={act.isPending && t("gateways.checking")}
            data-testid="check-again"
          >
            {t("number.checkAgain")}
          </Button>
          <ToGateways />
        </div>
      )}
      {admin && state !== "connected" && !cutOff && (
        <div className="mt-auto flex items-center gap-1.5">
          {!linked && (
            <Button
              size="dense"
              look={idle ? "filled" : "outlined"}
              icon={<PlugZap size={16} aria-hidden />}
              onClick={onConnection}
              data-testid="connection"
            >
              {t(state === "attention" ? "number.newToken" : "number.connection")}
            </Button>
          )}
          {state !== "paused" && linked && (
            <Button
              size="dense"
              look={idle ? "filled" : "outlined"}
              icon={<QrCode size={16} aria-hidden />}
              onClick={onLink}
              data-testid="link"
            >
              {t(state === "new" || state === "linking" ? "number.link" : "number.linkAgain")}
            </Button>
          )}
          {stopped && (
            <Button
              size="dense"
              look="filled"
              icon={<Play size={16} aria-hidden />}
              onClick={() => act.mutate({ id, act: "start" })}
              busy={act.isPending && t("number.starting")}
            >
              {t("number.start")}
            </Button>
          )}
        </div>
      )}
      {asking === "rename" && <Rename of={of} onClose={close} />}
      {asking === "move" && <MoveDialog of={of} to={others} onClose={close} onMoved={onLink} />}
      <Confirm
        open={asking === "logout"}
        onClose={close}
        title={t(linked ? "number.logoutTitle" : "number.deregisterTitle", { name })}
        text={t(linked ? "number.logoutText" : "number.deregisterText")}
        keep={t("number.keep")}
        act={t(linked ? "number.logout" : "number.deregister")}
        busy={act.isPending && t("form.working")}
        onAct={() => act.mutate({ id, act: "logout" }, { onSettled: close })}
      />
      <Confirm
        open={asking === "delete"}
        onClose={close}
        title={t("number.deleteTitle", { name })}
        text={t(linked ? "number.deleteText" : "number.deleteCloudText")}
        keep={t("number.keep")}
        act={t("number.delete")}
        typed={name}
        busy={remove.isPending && t("form.working")}
        onAct={() =>
          remove.mutate(
            { id },
            { onSuccess: () => toast.success(t("toast.numberDeleted", { name })), onSettled: close },
          )
        }
      />
    </article>
  );
}
