import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { Check, CircleAlert, Copy, Hash, QrCode, RefreshCw } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { api, take } from "~/api/client";
import { describe, Problem } from "~/api/problem";
import type { Code, Instance } from "~/api/types";
import { phone } from "~/i18n/format";
import { Rich } from "~/i18n/Rich";
import { type PlainKey, t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { copy } from "~/ui/copy";
import { Dialog } from "~/ui/Dialog";
import { TextField } from "~/ui/Field";
import { IconButton } from "~/ui/IconButton";
import { Seg } from "~/ui/Seg";
import { Spinner } from "~/ui/Spinner";
import { useInstanceAct } from "./acts";
import { Ring } from "./Ring";
import { isCutOff, isOfGateway, reasonOf, refusalOf } from "./state";
import { ToGateways } from "./ToGateways";
import { useChoice } from "./useChoice";

/** States from which linking does not go on by itself. */
const stopped = new Set<Instance["state"]>(["attention", "disconnected", "banned"]);

/** When the provider gives no end of its own. */
const USUAL_MS = 60_000;

const steps: Record<"android" | "iphone", PlainKey[]> = {
  android: ["link.step.open", "link.step.androidMenu", "link.step.link", "link.step.point"],
  iphone: ["link.step.open", "link.step.iphoneMenu", "link.step.link", "link.step.point"],
};

/** Whole seconds until `end`, moved on each second. */
export function useSeconds(end: number | undefined): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (end === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [end]);
  return end === undefined ? 0 : Math.max(0, Math.ceil((end - now) / 1000));
}

/** The code of the moment. It is asked for again when it runs out, and when the number's step changes. */
export function useCode(instance: Instance, wanted: boolean) {
  const scannable =
    wanted && instance.state !== "connected" && (instance.linkStep === "scan" || instance.linkStep === "preparing");
  return useQuery({
    // A new code is told by the stream: it is another attempt.
    queryKey: ["link-code", instance.id, instance.linkStep, instance.code?.attempt],
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const code = (await take(
        api.GET("/api/instances/{id}/qr", {
          params: { path: { id: instance.id } },
          headers: { accept: "application/json" },
          signal,
        }),
      )) as Code;
      const end = Date.parse(code.expiresAt);
      return { ...code, readAt: Date.now(), endsAt: Number.isNaN(end) ? Date.now() + USUAL_MS : end };
    },
    enabled: scannable,
    gcTime: 0,
    staleTime: 0,
    retry: false,
    refetchInterval: ({ state }) => {
      // Not there yet: soon. There: when it runs out, with a breath for the provider to make the next.
      if (state.error instanceof Problem && state.error.slug === "no-code") return 2_000;
      if (state.error) return 4_000;
      return state.data ? Math.max(1_000, state.data.endsAt - Date.now() + 600) : false;
    },
  });
}

function Progress({ instance }: { instance: Instance }) {
  const at = { preparing: 0, scan: 1, expired: 1, linking: 2, syncing: 3, refused: 1 }[
    instance.linkStep ?? "preparing"
  ];
  const connected = instance.state === "connected";
  const words: PlainKey[] = ["link.progress.code", "link.progress.scan", "link.progress.link", "link.progress.history"];
  return (
    <ol className="mt-2.5 flex items-center gap-1.5 text-12 text-muted">
      {words.map((word, index) => (
        <li
          key={word}
          aria-current={!connected && index === at ? "step" : undefined}
          className="flex flex-1 items-center gap-1.5 last:flex-none"
        >
          <span
            className={cn(
              "flex items-center gap-1 whitespace-nowrap",
              connected || index < at ? "text-success" : index === at && "font-medium text-text",
            )}
          >
            {(connected || index < at) && <Check size={14} aria-hidden />}
            {t(word)}
          </span>
          {index < words.length - 1 && <span className="h-px flex-1 bg-border" aria-hidden="true" />}
        </li>
      ))}
    </ol>
  );
}

/** Where linking stands, in words; when it does not go on, why, and where to look. */
function Standing({ instance, over, failed }: { instance: Instance; over?: boolean; failed?: unknown }) {
  const { state, linkStep, sync } = instance;
  const refused = linkStep === "refused" || state === "banned";
  let icon: ReactNode = <Spinner size={18} />;
  let words = t("link.preparing");
  if (over) {
    const bad = !!failed || refused;
    icon = <CircleAlert size={18} className={bad ? "text-danger" : "text-warning"} aria-hidden />;
    words = failed
      ? refusalOf(failed)
      : (reasonOf(instance) ??
        t(refused ? "link.refused" : linkStep === "expired" ? "link.expired" : "number.downText"));
  } else if (state === "connected") {
    icon = <Check size={18} className="text-success" aria-hidden />;
    words = t("link.connected", { phone: instance.phone ? phone(instance.phone) : instance.name });
  } else if (linkStep === "scan") words = t("link.scan");
  else if (linkStep === "linking") words = t("link.linking");
  else if (linkStep === "syncing") words = t("link.syncing", { n: sync?.chats ?? 0 });
  return (
    <div
      className="rounded-control border border-border bg-surface px-3.5 py-3"
      role={over ? "alert" : "status"}
      data-testid="link-status"
      data-step={state === "connected" ? "connected" : (linkStep ?? state)}
    >
      <div className="flex items-start gap-2.5 text-13 leading-[18px] font-strong">
        <span className="flex shrink-0 text-primary">{icon}</span>
        {words}
      </div>
      {!over && <Progress instance={instance} />}
      {over && (isOfGateway(failed) || isCutOff(instance)) && <ToGateways className="mt-1.5 ms-7" />}
    </div>
  );
}

function PairingCode({ instance }: { instance: Instance }) {
  const [typed, type] = useState(instance.phone ?? "");
  const ask = useMutation({
    mutationFn: () =>
      take(
        api.POST("/api/instances/{id}/pairing-code", {
          params: { path: { id: instance.id } },
          body: { phone: typed.replace(/[^\d+]/g, "") },
        }),
      ),
  });
  const code = ask.data?.code.replace(/[^0-9a-z]/gi, "").toUpperCase();
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate();
      }}
    >
      <TextField
        label={t("pairing.phone")}
        hint={t("pairing.hint")}
        error={ask.isError ? describe(ask.error).detail : undefined}
        type="tel"
        inputMode="tel"
        autoComplete="tel"
        placeholder="+27 82 000 0011"
        value={typed}
        onChange={(event) => type(event.target.value)}
      />
      <Button
        type="submit"
        look={code ? "outlined" : "filled"}
        disabled={typed.replace(/\D/g, "").length < 7}
        busy={ask.isPending && t("pairing.busy")}
      >
        {t(code ? "pairing.again" : "pairing.get")}
      </Button>
      {code && (
        <div
          className="flex items-center justify-between rounded-control border border-border bg-surface px-4 py-3"
          data-testid="pairing-code"
        >
          <span className="code text-28 font-strong tracking-[0.12em]">
            {code.slice(0, 4)}-{code.slice(4)}
          </span>
          <IconButton label={t("pairing.copy")} icon={<Copy size={18} aria-hidden />} onClick={() => copy(code)} />
        </div>
      )}
      <p className="text-13 text-muted">
        <Rich k="pairing.where" />
      </p>
    </form>
  );
}

/** Links a number: by a code to scan, or a code to type. It goes on when this is closed; the card shows it. */
export function LinkDialog({ instance, onClose }: { instance: Instance; onClose: () => void }) {
  const [way, setWay] = useChoice("way", ["qr", "pairing"]);
  const [system, setSystem] = useChoice("phone", ["android", "iphone"]);
  const act = useInstanceAct({ inPlace: true });
  const { mutate } = act;
  const { id, state, linkStep } = instance;
  const connected = state === "connected";

  // Opening it is asking to link: from whatever state the number is in.
  const asked = useRef(false);
  useEffect(() => {
    if (asked.current) return;
    asked.current = true;
    if (state === "connected") return;
    const running = state === "linking" && linkStep !== "expired" && linkStep !== "refused" && linkStep;
    mutate({ id, act: running ? "sync-status" : "start" });
  }, [id, state, linkStep, mutate]);

  const code = useCode(instance, way === "qr");
  const seconds = useSeconds(code.data?.endsAt);
  const again = () => mutate({ id, act: "start" });
  const noCode = code.error instanceof Problem && code.error.slug === "no-code";
  // What failed before it went on after all is no news any more.
  const going = state === "linking" && (linkStep === "scan" || linkStep === "linking" || linkStep === "syncing");
  const failed = (going ? null : act.error) ?? (noCode || code.data ? null : code.error);
  // The gateway may have a code before its word about it has come.
  const scannable = linkStep === "scan" || linkStep === "preparing";
  const shown = scannable && !connected && code.data && seconds > 0 ? code.data : undefined;
  const asking = act.isIdle || act.isPending;
  const stuck = linkStep === "expired" || linkStep === "refused" || stopped.has(state) || isCutOff(instance);
  const over = !connected && !asking && !shown && (!!failed || stuck);

  return (
    <Dialog
      open
      onClose={onClose}
      wide
      title={t("link.title", { name: instance.name })}
      text={t("link.text")}
      testId="link-dialog"
    >
      <div className="grid gap-x-8 gap-y-5 two:grid-cols-[minmax(0,1fr)_352px]">
        <div className="flex flex-col gap-4">
          {instance.capabilities?.pairingCode && (
            <Seg
              label={t("link.way")}
              value={way}
              onChange={setWay}
              className="self-start"
              options={[
                { value: "qr", text: t("link.way.qr"), icon: <QrCode size={16} aria-hidden /> },
                { value: "pairing", text: t("link.way.pairing"), icon: <Hash size={16} aria-hidden /> },
              ]}
            />
          )}
          {way === "qr" ? (
            <>
              <div role="tablist" aria-label={t("link.system")} className="flex gap-4 text-13 font-medium">
                {(["android", "iphone"] as const).map((one) => (
                  <button
                    key={one}
                    type="button"
                    role="tab"
                    aria-selected={one === system}
                    onClick={() => setSystem(one)}
                    className={cn(
                      "pb-1",
                      one === system ? "text-link shadow-[0_2px_0_var(--primary)]" : "text-muted hover:text-text",
                    )}
                  >
                    {t(`link.system.${one}` as PlainKey)}
                  </button>
                ))}
              </div>
              <ol className="flex flex-col gap-4">
                {steps[system].map((step, at) => (
                  <li key={step} className="grid grid-cols-[28px_1fr] items-center gap-3">
                    <span
                      aria-hidden="true"
                      className="grid size-7 place-items-center rounded-full bg-primary-tint text-13 font-strong text-link"
                    >
                      {at + 1}
                    </span>
                    <span>
                      <Rich k={step as "link.step.open"} />
                    </span>
                  </li>
                ))}
              </ol>
            </>
          ) : (
            <PairingCode instance={instance} />
          )}
          {!over && (
            <div className="mt-auto flex flex-col gap-2.5">
              <Standing instance={shown ? { ...instance, linkStep: "scan" } : instance} />
              <p className="text-12 text-muted">{connected ? t("link.done") : t("link.close")}</p>
            </div>
          )}
        </div>
        <div className={cn("max-two:order-first", way === "pairing" && !over && "max-two:hidden")}>
          {over ? (
            <div className="flex flex-col gap-3">
              <Standing instance={instance} over failed={failed} />
              <Button
                look="filled"
                className="self-start"
                icon={<RefreshCw size={16} aria-hidden />}
                onClick={again}
                data-testid="new-code"
              >
                {t(linkStep === "expired" && !failed ? "link.newCode" : "link.tryAgain")}
              </Button>
            </div>
          ) : (
            // White in every theme: cameras need it. Four modules of quiet are in the picture.
            <div className="mx-auto grid aspect-square w-full max-w-88 place-items-center overflow-hidden rounded-card border border-border bg-on-photo text-device">
              {shown ? (
                <img
                  src={shown.dataUrl}
                  alt={t("link.qrAlt")}
                  data-testid="qr-image"
                  className="size-full object-contain [image-rendering:pixelated]"
                />
              ) : connected ? (
                <span className="flex flex-col items-center gap-2">
                  <Check size={56} aria-hidden />
                  <span className="font-strong">{t("number.state.connected")}</span>
                </span>
              ) : (
                <span className="flex flex-col items-center gap-3">
                  <Spinner size={32} />
                  <span className="text-13">
                    {t(linkStep === "linking" || linkStep === "syncing" ? "link.scanned" : "link.waitCode")}
                  </span>
                </span>
              )}
            </div>
          )}
          {shown && (
            <div className="mt-3.5 flex items-center gap-3">
              <Ring
                seconds={seconds}
                of={Math.max(1, Math.round((shown.endsAt - shown.readAt) / 1000), Math.min(60, seconds))}
              />
              <div className="min-w-0 flex-1">
                <div className="font-medium tabular-nums">{t("link.newIn", { n: seconds })}</div>
                <div className="text-12 text-muted tabular-nums" data-testid="qr-attempt">
                  {t("link.attempt", { n: shown.attempt, of: shown.attempts })}
                </div>
              </div>
              <IconButton
                edge
                label={t("link.newNow")}
                icon={<RefreshCw size={18} aria-hidden />}
                onClick={() => void code.refetch()}
              />
            </div>
          )}
        </div>
      </div>
      {connected && (
        <div className="mt-5 flex justify-end">
          <Button look="filled" onClick={onClose}>
            {t("link.finish")}
          </Button>
        </div>
      )}
    </Dialog>
  );
}
