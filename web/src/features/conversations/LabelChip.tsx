import type { Label } from "~/api/types";
import { Chip } from "~/ui/Chip";
import { cn } from "~/ui/cn";

const grounds: Record<Label["colour"], string> = {
  stone: "bg-label-stone",
  indigo: "bg-label-indigo",
  petrol: "bg-label-petrol",
  leaf: "bg-label-leaf",
  amber: "bg-label-amber",
  rose: "bg-label-rose",
  plum: "bg-label-plum",
};

export const colours = Object.keys(grounds) as Label["colour"][];

/** The colour of a label; its name always stands beside it. */
export const Dot = ({ colour, className }: { colour: Label["colour"]; className?: string }) => (
  <span aria-hidden="true" className={cn("size-2 shrink-0 rounded-full", grounds[colour], className)} />
);

/** A label of people: outlined, so that states stand out beside it. */
export const LabelChip = ({ label, small }: { label: Label; small?: boolean }) => (
  <Chip small={!!small} look="label" title={label.name}>
    <Dot colour={label.colour} />
    <span dir="auto" className="max-w-28 truncate">
      {label.name}
    </span>
  </Chip>
);

/** Up to `most` labels, and how many more there are. */
export function LabelChips({ labels, most, small }: { labels: Label[]; most: number; small?: boolean }) {
  const rest = labels.slice(most);
  return (
    <>
      {labels.slice(0, most).map((one) => (
        <LabelChip key={one.id} label={one} small={!!small} />
      ))}
      {rest.length > 0 && (
        <Chip small={!!small} look="label" title={rest.map((one) => one.name).join(", ")}>
          +{rest.length}
        </Chip>
      )}
    </>
  );
}
