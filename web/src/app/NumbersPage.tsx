import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, RefreshCw } from "lucide-react";
import { useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { useSession } from "~/api/session";
import { may } from "~/api/types";
import { AddDialog } from "~/features/instances/AddDialog";
import { useInstanceAct, useReconciled } from "~/features/instances/acts";
import { ConnectionDialog } from "~/features/instances/ConnectionDialog";
import { LinkDialog } from "~/features/instances/LinkDialog";
import { NumberCard } from "~/features/instances/NumberCard";
import { instances } from "~/features/instances/queries";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Bone, Empty, EndOfList, Failed, Loading } from "~/ui/states";
import { onFrame } from "./live";
import { PageHead } from "./PageHead";
import { useTitle } from "./title";

const RECOUNT_MS = 5_000;

/** Reads the numbers again soon after a message came or went. */
function useRecount(): void {
  const client = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = onFrame(({ kind }) => {
      if (kind !== "message.received" && kind !== "message.sent") return;
      timer ??= setTimeout(() => {
        timer = undefined;
        void client.invalidateQueries({ queryKey: instances.queryKey });
      }, RECOUNT_MS);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [client]);
}

/** The WhatsApp numbers of the workspace. Which dialog is open stands in the address. */
export default function NumbersPage() {
  const session = useSession();
  // What was sent since is not told of each number: it is read when somebody comes to look, and now and then while they do.
  const query = useQuery({ ...instances, refetchOnMount: "always" });
  useRecount();
  useReconciled(query.isFetchedAfterMount);
  const act = useInstanceAct();
  const [params, setParams] = useSearchParams();
  const admin = may(session, "admin");
  const linking = query.data?.find((one) => one.id === params.get("link"));
  const looking = query.data?.find((one) => one.id === params.get("connection"));
  // Shown once, and never in an address.
  const [verifyToken, keep] = useState<string>();
  useTitle(t("place.numbers"));
  const add = () => setParams({ add: "1" });
  const close = () => {
    keep(undefined);
    setParams({}, { replace: true });
  };

  return (
    <div className="flex h-full min-h-0 flex-col">
      <PageHead
        title={t("place.numbers")}
        actions={
          admin && (
            <>
              {(query.data?.length ?? 0) > 0 && (
                <Button
                  icon={<RefreshCw size={16} aria-hidden />}
                  busy={act.isPending && t("numbers.syncing")}
                  onClick={() => {
                    for (const one of query.data ?? []) act.mutate({ id: one.id, act: "sync-status" });
                  }}
                >
                  {t("number.syncStatus")}
                </Button>
              )}
              <Button look="filled" icon={<Plus size={18} aria-hidden />} onClick={add} data-testid="add-number">
                {t("numbers.add")}
              </Button>
            </>
          )
        }
      />
      <div className="min-h-0 flex-1 overflow-y-auto p-4 phone:p-6">
        {query.isPending ? (
          <Loading>
            <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,300px),1fr))] gap-4">
              {[1, 2, 3].map((one) => (
                <div key={one} className="flex h-48 flex-col gap-4 rounded-card border border-border bg-raised p-4">
                  <span className="flex items-center gap-3">
                    <Bone className="size-10 rounded-full" />
                    <Bone className="w-32" />
                  </span>
                  <Bone className="w-2/3" />
                  <Bone className="w-full" />
                </div>
              ))}
            </div>
          </Loading>
        ) : query.isError && !query.data ? (
          <Failed error={query.error} what={t("numbers.failed")} onRetry={() => void query.refetch()} />
        ) : query.data.length === 0 ? (
          <Empty
            title={t("numbers.empty")}
            text={t(admin ? "numbers.emptyText" : "numbers.emptyAgent")}
            action={
              admin && (
                <Button look="filled" icon={<Plus size={18} aria-hidden />} onClick={add}>
                  {t("numbers.add")}
                </Button>
              )
            }
          />
        ) : (
          <>
            <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,300px),1fr))] gap-4">
              {query.data.map((one) => (
                <NumberCard
                  key={one.id}
                  of={one}
                  onLink={() => setParams({ link: one.id })}
                  onConnection={() => setParams({ connection: one.id })}
                />
              ))}
            </div>
            {query.data.length > 9 && <EndOfList>{t("numbers.end", { n: query.data.length })}</EndOfList>}
          </>
        )}
      </div>
      {admin && params.has("add") && (
        <AddDialog
          onClose={close}
          onAdded={(one, word) => {
            keep(word);
            setParams(one.provider === "cloud" ? { connection: one.id } : { link: one.id }, { replace: true });
          }}
        />
      )}
      {admin && looking && (
        <ConnectionDialog key={looking.id} instance={looking} verifyToken={verifyToken} onClose={close} />
      )}
      {admin && linking && <LinkDialog key={linking.id} instance={linking} onClose={close} />}
    </div>
  );
}
