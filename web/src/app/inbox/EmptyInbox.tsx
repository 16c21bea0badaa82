import { Link } from "react-router";
import { useSession } from "~/api/session";
import { type Instance, may } from "~/api/types";
import { list, phone } from "~/i18n/format";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Empty } from "~/ui/states";

/** Whether no number has ever said or heard anything. */
export const isFresh = (numbers: Instance[] | undefined): boolean =>
  !!numbers && !numbers.some((one) => one.lastInboundAt || one.lastOutboundAt);

/** An empty inbox says what will make messages appear: a number, a first message, or nothing, for all is done. */
export function EmptyInbox({
  numbers,
  onStart,
}: {
  numbers: Instance[] | undefined;
  onStart?: (() => void) | undefined;
}) {
  const session = useSession();
  if (!numbers) return <div className="flex-1" />;
  const linked = numbers.filter((one) => one.state === "connected");
  const first = isFresh(numbers) ? linked.find((one) => one.phone)?.phone : undefined;
  const admin = may(session, "admin");
  const link = admin && (
    <Button asChild look="filled" size="dense">
      <Link to={numbers.length === 0 ? "/instances?add=1" : "/instances"}>
        {t(numbers.length === 0 ? "empty.link" : "empty.toNumbers")}
      </Link>
    </Button>
  );
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      {numbers.length === 0 ? (
        <Empty title={t("empty.noNumber")} text={t(admin ? "empty.noNumberText" : "empty.askAdmin")} action={link} />
      ) : linked.length === 0 ? (
        <Empty
          title={t("empty.notLinked")}
          text={t("empty.notLinkedText", { name: numbers[0]?.name ?? "" })}
          action={link}
        />
      ) : (
        <Empty
          // Something was said before: then nothing is open because all is done.
          title={t(isFresh(numbers) ? "empty.waiting" : "empty.allDone")}
          text={
            first
              ? t("empty.tryIt", { phone: phone(first) })
              : t("empty.waitingText", { names: list(linked.map((one) => one.name)) })
          }
          action={
            onStart && (
              <Button size="dense" onClick={onStart}>
                {t("inbox.start")}
              </Button>
            )
          }
        />
      )}
    </div>
  );
}
