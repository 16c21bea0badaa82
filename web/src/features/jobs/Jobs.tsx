import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { useSearchParams } from "react-router";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { describe } from "~/api/problem";
import type { Job, Page } from "~/api/types";
import { number } from "~/i18n/format";
import { type PlainKey, t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Chip, type ChipLook } from "~/ui/Chip";
import { inputDense } from "~/ui/Field";
import { IconButton } from "~/ui/IconButton";
import { Listing } from "~/ui/Listing";
import { Item, Section } from "~/ui/Section";
import { Empty, NothingMatches } from "~/ui/states";
import { toast } from "~/ui/toast";
import { When } from "~/ui/When";

const looks: Record<Job["state"], ChipLook> = {
  ready: "plain",
  running: "info",
  done: "good",
  dead: "bad",
  cancelled: "plain",
};
const states = ["", "ready", "running", "dead", "done", "cancelled"] as const;

const summary = {
  queryKey: [...keys.jobs, "summary"],
  queryFn: async ({ signal }: { signal: AbortSignal }) => (await take(api.GET("/api/jobs/summary", { signal }))).kinds,
  staleTime: 0,
};

/** What the server has to do: how much waits, what runs, what was set aside; and what to do about that. */
export function Jobs() {
  const client = useQueryClient();
  const [params, setParams] = useSearchParams();
  const state = (params.get("state") ?? "") as Job["state"] | "";
  const kind = params.get("kind") ?? "";
  const kinds = useQuery(summary);
  const query = useInfiniteQuery({
    queryKey: [...keys.jobs, "list", state, kind],
    queryFn: ({ pageParam, signal }): Promise<Page<Job>> =>
      take(
        api.GET("/api/jobs", {
          params: {
            query: {
              limit: 50,
              ...(state && { state }),
              ...(kind && { kind }),
              ...(pageParam && { after: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: 0,
  });
  const act = useMutation({
    mutationFn: ({ id, what }: { id: string; what: "retry" | "cancel" }) =>
      take(api.POST(`/api/jobs/{id}/${what}`, { params: { path: { id } }, headers: once() })),
    onSuccess: (_, { what }) => toast.success(t(what === "retry" ? "toast.jobRetried" : "toast.jobCancelled")),
    onError: (error) => toast.error(describe(error).detail),
    onSettled: () => client.invalidateQueries({ queryKey: keys.jobs }),
  });
  const put = (name: string, value: string) =>
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const all = query.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <Section
        flush
        title={t("jobs.queues")}
        text={t("jobs.text")}
        aside={
          <IconButton
            edge
            label={t("jobs.refresh")}
            icon={<RefreshCw size={16} aria-hidden />}
            onClick={() => void client.invalidateQueries({ queryKey: keys.jobs })}
          />
        }
      >
        <Listing
          query={kinds}
          items={kinds.data}
          rows={3}
          failed={t("jobs.failed")}
          empty={<Empty title={t("jobs.idle")} text={t("jobs.idleText")} />}
        >
          {(all) => (
            <div className="overflow-x-auto">
              <table className="w-full text-13" data-testid="job-summary">
                <thead>
                  <tr className="h-9 border-b border-border text-muted">
                    <th scope="col" className="px-5 text-start font-medium">
                      {t("jobs.kind")}
                    </th>
                    {(["ready", "running", "dead"] as const).map((one) => (
                      <th key={one} scope="col" className="px-3 text-end font-medium last:pe-5">
                        {t(`jobs.state.${one}` as PlainKey)}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {all.map((one) => (
                    <tr key={one.kind} className="h-11 border-b border-border last:border-0">
                      <th scope="row" className="px-5 text-start font-medium">
                        <button
                          type="button"
                          className="code text-12 text-link underline-offset-3 hover:underline"
                          onClick={() => put("kind", one.kind)}
                        >
                          {one.kind}
                        </button>
                      </th>
                      <td className="px-3 text-end tabular-nums">{number(one.ready)}</td>
                      <td className="px-3 text-end tabular-nums">{number(one.running)}</td>
                      <td
                        className={`px-3 pe-5 text-end tabular-nums ${one.dead > 0 ? "font-strong text-danger" : ""}`}
                      >
                        {number(one.dead)}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </Listing>
      </Section>
      <Section
        flush
        title={t("jobs.list")}
        aside={
          <span className="flex flex-wrap gap-2">
            {kind && (
              <Button size="dense" onClick={() => put("kind", "")} aria-label={t("jobs.allKinds")}>
                {kind} ×
              </Button>
            )}
            <select
              aria-label={t("jobs.stateFilter")}
              value={state}
              onChange={(event) => put("state", event.target.value)}
              className={inputDense}
            >
              {states.map((one) => (
                <option key={one} value={one}>
                  {one ? t(`jobs.state.${one}` as PlainKey) : t("jobs.all")}
                </option>
              ))}
            </select>
          </span>
        }
      >
        <Listing
          query={query}
          items={all}
          rows={5}
          failed={t("jobs.failed")}
          empty={
            state || kind ? (
              <NothingMatches title={t("jobs.nothing")} onClear={() => setParams({}, { replace: true })} />
            ) : (
              <Empty title={t("jobs.idle")} text={t("jobs.idleText")} />
            )
          }
          end={(n) => t("jobs.end", { n })}
        >
          {(jobs, tail) => (
            <>
              <ul>
                {jobs.map((one) => (
                  <Item key={one.id}>
                    <span className="min-w-0 flex-1 basis-56" data-testid="job">
                      <span className="flex flex-wrap items-center gap-2">
                        <span className="code text-12 font-medium">{one.kind}</span>
                        <Chip look={looks[one.state]}>{t(`jobs.state.${one.state}` as PlainKey)}</Chip>
                        {one.attempt > 1 && (
                          <span className="text-12 text-muted tabular-nums">
                            {t("jobs.attempt", { n: one.attempt, of: one.maxAttempts })}
                          </span>
                        )}
                      </span>
                      {one.lastError && (
                        <span className="mt-1 block text-12 break-words text-danger">{one.lastError}</span>
                      )}
                      <span className="code mt-0.5 block text-11 break-all text-muted">{one.id}</span>
                    </span>
                    <When
                      at={one.finishedAt ?? one.startedAt ?? one.createdAt}
                      className="text-12 text-muted tabular-nums"
                    />
                    {(one.state === "dead" || one.state === "cancelled") && (
                      <Button
                        size="dense"
                        disabled={act.isPending}
                        onClick={() => act.mutate({ id: one.id, what: "retry" })}
                      >
                        {t("jobs.retry")}
                      </Button>
                    )}
                    {(one.state === "ready" || one.state === "dead") && (
                      <Button
                        size="dense"
                        look="plain"
                        disabled={act.isPending}
                        onClick={() => act.mutate({ id: one.id, what: "cancel" })}
                      >
                        {t("jobs.cancel")}
                      </Button>
                    )}
                  </Item>
                ))}
              </ul>
              {tail}
            </>
          )}
        </Listing>
      </Section>
    </>
  );
}
