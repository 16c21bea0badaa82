import { Check, Minus } from "lucide-react";
import { type PlainKey, t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { Fold } from "./Fold";

/** How a number reaches WhatsApp: on the operator's gateway, on one of one's own, or by Meta's Cloud API. */
export type Way = "operator" | "own" | "cloud";

export interface WayChoice {
  way: Way;
  title: PlainKey;
  text: PlainKey;
  off?: boolean;
}

// What each way can do, side by side. `true` works, `false` does not, a key says it in words.
const comparison: ({ name: PlainKey } & Record<Way, boolean | PlainKey>)[] = [
  { name: "compare.need", operator: "compare.needNothing", own: "compare.needServer", cloud: "compare.needMeta" },
  { name: "compare.phone", operator: "compare.phoneStays", own: "compare.phoneStays", cloud: "compare.phoneLeaves" },
  { name: "compare.who", operator: "compare.whoOperator", own: "compare.whoYou", cloud: "compare.whoMeta" },
  { name: "compare.cost", operator: "compare.costPlan", own: "compare.costServer", cloud: "compare.costMeta" },
  { name: "compare.free", operator: true, own: true, cloud: "compare.freeWindow" },
  { name: "compare.media", operator: true, own: true, cloud: true },
  { name: "compare.polls", operator: true, own: true, cloud: "compare.pollsButtons" },
  { name: "compare.groups", operator: "compare.groupsPhone", own: "compare.groupsPhone", cloud: "compare.groupsNot" },
  { name: "compare.templates", operator: false, own: false, cloud: "compare.templatesLater" },
  { name: "compare.calls", operator: false, own: false, cloud: false },
  { name: "compare.risk", operator: "compare.riskLinked", own: "compare.riskLinked", cloud: "compare.riskMeta" },
];

function Cell({ value }: { value: boolean | PlainKey }) {
  if (value === true)
    return (
      <span className="inline-flex items-center gap-1 text-success">
        <Check size={16} aria-hidden />
        <span>{t("compare.yes")}</span>
      </span>
    );
  if (value === false)
    return (
      <span className="inline-flex items-center gap-1 text-muted">
        <Minus size={16} aria-hidden />
        <span>{t("compare.no")}</span>
      </span>
    );
  return t(value);
}

/** The choice, and below it what each can do. */
export function Ways({ ways, way, onChoose }: { ways: WayChoice[]; way: Way; onChoose: (way: Way) => void }) {
  return (
    <>
      <div role="radiogroup" aria-label={t("add.how")} className="grid gap-3 phone:grid-cols-3">
        {ways.map((one) => (
          <button
            key={one.way}
            type="button"
            role="radio"
            aria-checked={way === one.way}
            disabled={one.off}
            onClick={() => onChoose(one.way)}
            data-testid={`way-${one.way}`}
            className={cn(
              "press flex flex-col gap-0.5 rounded-card border px-4 py-3 text-start",
              way === one.way
                ? "border-transparent bg-selected outline-2 outline-primary"
                : "border-control bg-raised hover:bg-hover",
              "disabled:border-border disabled:bg-well disabled:text-muted",
            )}
          >
            <span className="font-strong">{t(one.title)}</span>
            <span className="text-13 text-muted">{t(one.text)}</span>
          </button>
        ))}
      </div>
      <Fold title={t("compare.title")} testId="compare">
        <section
          className="overflow-x-auto"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
          aria-label={t("compare.title")}
        >
          <table className="w-full text-13 phone:min-w-140">
            <caption className="sr-only">{t("compare.title")}</caption>
            <thead>
              <tr className="border-b border-border text-start text-muted">
                <th scope="col" className="h-9 px-3 text-start font-medium">
                  {t("compare.what")}
                </th>
                {ways.map((one) => (
                  <th
                    key={one.way}
                    scope="col"
                    className={cn(
                      "px-3 text-start font-medium",
                      way === one.way ? "bg-selected text-text" : "max-phone:hidden",
                    )}
                  >
                    {t(one.title)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {comparison.map((row) => (
                <tr key={row.name} className="border-b border-border last:border-0">
                  <th scope="row" className="px-3 py-2 text-start align-top font-regular text-muted">
                    {t(row.name)}
                  </th>
                  {ways.map((one) => (
                    <td
                      key={one.way}
                      className={cn("px-3 py-2 align-top", way === one.way ? "bg-selected" : "max-phone:hidden")}
                    >
                      <Cell value={row[one.way]} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </Fold>
    </>
  );
}
