import { type PlainKey, t } from "~/i18n/t";
import { Dialog } from "~/ui/Dialog";

const groups: { title: PlainKey; keys: [string, PlainKey][] }[] = [
  {
    title: "shortcuts.everywhere",
    keys: [
      ["Ctrl K", "shortcuts.palette"],
      ["?", "shortcuts.sheet"],
      ["G C", "shortcuts.goInbox"],
      ["G T", "shortcuts.goContacts"],
      ["G N", "shortcuts.goNumbers"],
      ["G S", "shortcuts.goSettings"],
      ["Esc", "shortcuts.leave"],
    ],
  },
  {
    title: "shortcuts.inbox",
    keys: [
      ["J", "shortcuts.next"],
      ["K", "shortcuts.previous"],
      ["/", "shortcuts.search"],
      ["R", "shortcuts.reply"],
      ["A", "shortcuts.assign"],
      ["I", "shortcuts.mine"],
      ["N", "shortcuts.note"],
      ["L", "shortcuts.label"],
      ["E", "shortcuts.resolve"],
      ["Shift E", "shortcuts.resolveNext"],
    ],
  },
  {
    title: "shortcuts.composer",
    keys: [
      ["Enter", "shortcuts.send"],
      ["Shift Enter", "shortcuts.break"],
      ["Ctrl B", "shortcuts.bold"],
      ["Ctrl I", "shortcuts.italic"],
    ],
  },
];

/** The sheet of shortcuts. */
export default function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title={t("shortcuts.title")} wide testId="shortcuts">
      <div className="grid gap-x-8 gap-y-5 phone:grid-cols-3">
        {groups.map(({ title, keys }) => (
          <section key={title}>
            <h3 className="mb-2 text-13 font-strong">{t(title)}</h3>
            <dl className="flex flex-col gap-2 text-13">
              {keys.map(([key, what]) => (
                <div key={key} className="flex items-center justify-between gap-3">
                  <dt className="text-muted">{t(what)}</dt>
                  <dd className="flex gap-1">
                    {key.split(" ").map((one) => (
                      <kbd
                        key={one}
                        className="rounded-small border border-border bg-surface px-1.5 font-sans text-11 text-muted"
                      >
                        {one}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
