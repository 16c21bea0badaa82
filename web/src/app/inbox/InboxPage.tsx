import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { useSession } from "~/api/session";
import { may } from "~/api/types";
import { known } from "~/features/conversations/cache";
import { counts as countsQuery } from "~/features/conversations/queries";
import { toWrite } from "~/features/conversations/toWrite";
import { ViewsPane } from "~/features/conversations/Views";
import { instances as instancesQuery } from "~/features/instances/queries";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { part } from "~/ui/part";
import { Splitter } from "~/ui/Splitter";
import { Empty } from "~/ui/states";
import { useNarrow } from "~/ui/useNarrow";
import { useKeys } from "../keyboard";
import { listWidth } from "../panes";
import { useTitle } from "../title";
import { useWords } from "../useWords";
import { useAddress } from "./address";
import { useSide } from "./ContactSide";
import { EmptyInbox, isFresh } from "./EmptyInbox";
import { ListPane } from "./ListPane";
import { NumbersDown } from "./NumbersDown";
import { Talk } from "./Talk";

const StartDialog = part(() => import("~/features/contacts/StartDialog"));

/** The list, the thread and the contact, side by side as far as there is room. */
export default function InboxPage() {
  const address = useAddress();
  const { id, list, to } = address;
  const search = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const session = useSession();
  const counts = useQuery(countsQuery).data;
  const numbers = useQuery(instancesQuery).data;
  const onePane = useNarrow(640);
  const twoPanes = useNarrow(1024);
  const foldedViews = useNarrow(1179);
  const width = listWidth.use();
  const side = useSide();
  /** Undefined until it is asked for: the dialog comes with the first asking. */
  const [starting, start] = useState<boolean>();
  const agent = may(session, "agent");
  useTitle(id ? nameOf(known(client, id)?.contact ?? {}) : t("inbox.title"));

  const order = useRef<string[]>([]);
  const onOrder = useCallback((ids: string[]) => {
    order.current = ids;
  }, []);
  const step = (by: number) => {
    const at = order.current.indexOf(id ?? "");
    const next = order.current[at < 0 ? (by > 0 ? 0 : order.current.length - 1) : at + by];
    if (next) navigate(to(next));
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Escape: () => {
      if (side.folded && side.open) side.put(false);
      else if (search.words) search.type("");
      else if (id && onePane) navigate(list);
    },
  });

  return (
    <div className="flex h-full min-h-0 flex-col" data-testid="inbox">
      {numbers && may(session, "admin") && <NumbersDown numbers={numbers} />}
      <div className="flex min-h-0 min-w-0 flex-1">
        {!foldedViews && (
          <div className="grid w-47 shrink-0">
            <ViewsPane view={address.filter.view} counts={counts} to={address.toView} />
          </div>
        )}
        {(!onePane || !id) && (
          <>
            <div
              className="grid min-h-0 shrink-0 grow-0"
              style={{ width: onePane ? "100%" : twoPanes ? Math.min(width, 340) : width }}
            >
              <ListPane
                address={address}
                search={search}
                phone={onePane}
                foldedViews={foldedViews}
                onOrder={onOrder}
                onStart={agent ? () => start(true) : undefined}
              />
            </div>
            {!onePane && <Splitter label={t("pane.list")} width={listWidth} min={264} max={480} pane="start" />}
          </>
        )}
        {(!onePane || id) && (
          <div className={cn("relative flex min-h-0 min-w-0 flex-1", !onePane && "border-s border-border")}>
            {id ? (
              <Talk key={id} id={id} back={list} side={side} onNext={() => step(1)} />
            ) : (
              <div className="grid flex-1 place-items-center">
                {isFresh(numbers) && !counts?.open ? (
                  <EmptyInbox numbers={numbers} />
                ) : (
                  <Empty title={t("inbox.choose")} text={t("inbox.chooseText")} />
                )}
              </div>
            )}
          </div>
        )}
      </div>
      {agent && starting !== undefined && (
        <StartDialog
          open={starting}
          onClose={() => start(false)}
          onBreak={() => start(undefined)}
          instances={numbers ?? []}
          country={session.tenant.country}
          onStarted={(one) => {
            start(false);
            navigate(to(one), { state: toWrite });
          }}
        />
      )}
    </div>
  );
}
