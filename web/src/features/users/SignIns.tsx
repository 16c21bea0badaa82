import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Monitor, Smartphone } from "lucide-react";
import { useState } from "react";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { describe } from "~/api/problem";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Chip } from "~/ui/Chip";
import { Confirm } from "~/ui/Dialog";
import { Listing } from "~/ui/Listing";
import { Item, Section } from "~/ui/Section";
import { toast } from "~/ui/toast";
import { When } from "~/ui/When";

/** "Firefox on Windows", as far as a user agent can be trusted. */
export function deviceName(agent: string | null | undefined): string {
  if (!agent) return t("signIns.unknown");
  const browser = [
    [/Edg\//, "Edge"],
    [/OPR\//, "Opera"],
    [/Firefox\//, "Firefox"],
    [/Chrome\//, "Chrome"],
    [/Safari\//, "Safari"],
  ].find(([pattern]) => (pattern as RegExp).test(agent))?.[1] as string | undefined;
  const system = [
    [/Android/, "Android"],
    [/iPhone|iPad/, "iOS"],
    [/Windows/, "Windows"],
    [/Mac OS X/, "macOS"],
    [/Linux/, "Linux"],
  ].find(([pattern]) => (pattern as RegExp).test(agent))?.[1] as string | undefined;
  if (browser && system) return t("signIns.device", { browser, system });
  return browser ?? system ?? agent.slice(0, 60);
}

/** Where this person is signed in, and how to end it. */
export function SignIns() {
  const client = useQueryClient();
  const [asking, ask] = useState(false);
  const query = useQuery({
    queryKey: keys.signIns,
    queryFn: async ({ signal }) => (await take(api.GET("/api/me/sign-ins", { signal }))).items,
    staleTime: 0,
  });
  const end = useMutation({
    mutationFn: (id: string) =>
      take(api.DELETE("/api/me/sign-ins/{id}", { params: { path: { id } }, headers: once() })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.signIns }),
    onError: (error) => toast.error(describe(error).detail),
  });
  const endAll = useMutation({
    mutationFn: () => take(api.DELETE("/api/me/sign-ins", { headers: once() })),
    onSuccess: () => location.assign("/sign-in"),
    onError: (error) => toast.error(describe(error).detail),
  });
  return (
    <Section
      flush
      title={t("settings.signIns")}
      text={t("signIns.text")}
      aside={
        <Button look="dangerOutlined" size="dense" onClick={() => ask(true)}>
          {t("signIns.everywhere")}
        </Button>
      }
    >
      <Listing query={query} items={query.data} failed={t("signIns.failed")} empty={null}>
        {(all) => (
          <ul>
            {all.map((one) => {
              const Icon = /Android|iPhone/.test(one.userAgent ?? "") ? Smartphone : Monitor;
              return (
                <Item key={one.id}>
                  <Icon size={20} className="text-muted" aria-hidden />
                  <span className="min-w-0 flex-1">
                    <span className="flex flex-wrap items-center gap-2 font-medium">
                      {deviceName(one.userAgent)}
                      {one.current && <Chip look="good">{t("signIns.current")}</Chip>}
                    </span>
                    <span className="text-12 text-muted tabular-nums">
                      {one.ip && <>{one.ip} · </>}
                      <When at={one.lastUsedAt ?? one.createdAt} />
                    </span>
                  </span>
                  {!one.current && (
                    <Button size="dense" disabled={end.isPending} onClick={() => end.mutate(one.id)}>
                      {t("signIns.end")}
                    </Button>
                  )}
                </Item>
              );
            })}
          </ul>
        )}
      </Listing>
      <Confirm
        open={asking}
        onClose={() => ask(false)}
        title={t("signIns.everywhereTitle")}
        text={t("signIns.everywhereText")}
        keep={t("dialog.cancel")}
        act={t("signIns.everywhere")}
        busy={endAll.isPending && t("form.working")}
        onAct={() => endAll.mutate()}
      />
    </Section>
  );
}
