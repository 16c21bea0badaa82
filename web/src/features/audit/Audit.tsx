import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ChevronDown, Download } from "lucide-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api, take } from "~/api/client";
import { keys } from "~/api/keys";
import { people } from "~/api/people";
import type { AuditEntry, Page } from "~/api/types";
import { moment } from "~/i18n/format";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { inputDense } from "~/ui/Field";
import { Listing } from "~/ui/Listing";
import { Section } from "~/ui/Section";
import { Empty, NothingMatches } from "~/ui/states";
import { When } from "~/ui/When";

const written = (value: unknown): string =>
  value === null || value === undefined ? "–" : JSON.stringify(value, null, 1);

/** What changed between two states: only the fields that differ. */
export function differences(before: unknown, after: unknown): { field: string; before: string; after: string }[] {
  const from = (typeof before === "object" && before ? before : {}) as Record<string, unknown>;
  const to = (typeof after === "object" && after ? after : {}) as Record<string, unknown>;
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((field) => JSON.stringify(from[field]) !== JSON.stringify(to[field]))
    .map((field) => ({ field, before: written(from[field]), after: written(to[field]) }));
}

/** What an entry is about: by name, if it holds one, else by its id. */
function subjectOf({ subject, before, after }: AuditEntry): string | undefined {
  for (const state of [after, before])
    for (const field of ["name", "title", "email", "phone"])
      if (typeof state?.[field] === "string") return state[field];
  return subject.id ?? undefined;
}

/** Where it can be looked at. */
const placeOf = ({ kind, id }: AuditEntry["subject"]): string | undefined =>
  id ? { conversation: `/chat/${id}`, contact: `/contacts?contact=${id}` }[kind] : undefined;

function Entry({ of }: { of: AuditEntry }) {
  const [open, setOpen] = useState(false);
  const who = of.actor.name || (of.actor.kind === "system" ? t("audit.system") : t("audit.gone"));
  const place = placeOf(of.subject);
  const changes = open ? differences(of.before, of.after) : [];
  return (
    <li className="border-t border-border">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="press flex w-full flex-wrap items-center gap-x-3 gap-y-0.5 px-4 py-2.5 text-start text-13 hover:bg-hover focus-visible:-outline-offset-2 phone:px-5"
      >
        <span className="w-32 shrink-0 truncate font-medium max-phone:w-auto max-phone:flex-1">{who}</span>
        <span className="code min-w-0 flex-1 truncate text-12 max-phone:order-last max-phone:basis-full">
          {of.action} <bdi className="text-muted">{subjectOf(of)}</bdi>
        </span>
        <When at={of.at} className="text-12 text-muted tabular-nums" />
        <ChevronDown size={16} aria-hidden className={cn("text-muted", open && "rotate-180")} />
      </button>
      {open && (
        <div className="appear px-4 pb-3 text-12 phone:px-5">
          <dl className="grid grid-cols-[96px_minmax(0,1fr)] gap-x-3 gap-y-1 pb-2">
            <dt className="text-muted">{t("audit.when")}</dt>
            <dd>{moment(of.at)}</dd>
            <dt className="text-muted">{t("audit.what")}</dt>
            <dd className="code break-all">
              {place ? (
                <Link to={place} className="text-link underline-offset-3 hover:underline">
                  {of.subject.id}
                </Link>
              ) : (
                of.subject.id
              )}
            </dd>
            {of.requestId && (
              <>
                <dt className="text-muted">{t("audit.request")}</dt>
                <dd className="code break-all">{of.requestId}</dd>
              </>
            )}
          </dl>
          {changes.length > 0 && (
            <div className="overflow-x-auto rounded-control border border-border">
              <table className="w-full">
                <thead>
                  <tr className="text-muted">
                    <th scope="col" className="px-2.5 py-1.5 text-start font-medium">
                      {t("audit.field")}
                    </th>
                    <th scope="col" className="px-2.5 py-1.5 text-start font-medium">
                      {t("audit.before")}
                    </th>
                    <th scope="col" className="px-2.5 py-1.5 text-start font-medium">
                      {t("audit.after")}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {changes.map((one) => (
                    <tr key={one.field} className="border-t border-border align-top">
                      <th scope="row" className="px-2.5 py-1.5 text-start font-medium">
                        {one.field}
                      </th>
                      <td className="code max-w-60 px-2.5 py-1.5 break-all">{one.before}</td>
                      <td className="code max-w-60 px-2.5 py-1.5 break-all">{one.after}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </div>
      )}
    </li>
  );
}

/** Who changed what, when; with what was there before and after. */
export function Audit() {
  const [params, setParams] = useSearchParams();
  const actor = params.get("actor") ?? "";
  const action = params.get("action") ?? "";
  const [typed, type] = useState(action);
  const team = useQuery(people).data ?? [];
  const query = useInfiniteQuery({
    queryKey: [...keys.audit, actor, action],
    queryFn: ({ pageParam, signal }): Promise<Page<AuditEntry>> =>
      take(
        api.GET("/api/audit", {
          params: {
            query: {
              limit: 50,
              ...(actor && { actor }),
              ...(action && { action }),
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
  // The file holds what is listed here, all of its pages.
  const wanted = new URLSearchParams({ ...(actor && { actor }), ...(action && { action }) }).toString();
  const all = query.data?.pages.flatMap((page) => page.items);
  return (
    <Section
      flush
      title={t("settings.audit")}
      text={t("audit.text")}
      aside={
        <Button asChild size="dense">
          <a href={`/api/audit/export${wanted && `?${wanted}`}`} download>
            <Download size={16} aria-hidden />
            {t("audit.export")}
          </a>
        </Button>
      }
    >
      <form
        className="flex flex-wrap gap-2 px-4 pb-3 phone:px-5"
        onSubmit={(event) => {
          event.preventDefault();
          put("action", typed.trim());
        }}
      >
        <select
          aria-label={t("audit.who")}
          value={actor}
          onChange={(event) => put("actor", event.target.value)}
          className={inputDense}
        >
          <option value="">{t("audit.everyone")}</option>
          {team.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
        <input
          aria-label={t("audit.action")}
          placeholder={t("audit.actionExample")}
          value={typed}
          onChange={(event) => type(event.target.value)}
          onBlur={() => put("action", typed.trim())}
          className={`${inputDense} w-56`}
        />
      </form>
      <Listing
        query={query}
        items={all}
        rows={6}
        failed={t("audit.failed")}
        empty={
          actor || action ? (
            <NothingMatches
              title={t("audit.nothing")}
              onClear={() => {
                type("");
                setParams({}, { replace: true });
              }}
            />
          ) : (
            <Empty title={t("audit.empty")} />
          )
        }
        end={(n) => t("audit.end", { n })}
      >
        {(entries, tail) => (
          <>
            <ul>
              {entries.map((one) => (
                <Entry key={one.id} of={one} />
              ))}
            </ul>
            {tail}
          </>
        )}
      </Listing>
    </Section>
  );
}
