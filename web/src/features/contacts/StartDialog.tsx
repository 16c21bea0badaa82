import { useInfiniteQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { describe } from "~/api/problem";
import type { Instance } from "~/api/types";
import { phone } from "~/i18n/format";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { SelectField, TextField } from "~/ui/Field";
import { contacts, useStart } from "./queries";

/** A number as a person types it, in E.164; nothing when it cannot be one. National numbers need their country. */
export function readPhone(typed: string, country: string | null | undefined): string | undefined {
  const digits = typed.replace(/[^\d+]/g, "");
  const codes: Record<string, string> = {
    ZA: "27",
    NA: "264",
    BW: "267",
    KE: "254",
    NG: "234",
    ZW: "263",
    GB: "44",
    US: "1",
  };
  const code = codes[country ?? ""];
  const full = digits.startsWith("+")
    ? digits
    : digits.startsWith("00")
      ? `+${digits.slice(2)}`
      : digits.startsWith("0") && code
        ? `+${code}${digits.slice(1)}`
        : code && digits.startsWith(code)
          ? `+${digits}`
          : undefined;
  return full && /^\+[1-9]\d{6,14}$/.test(full) ? full : undefined;
}

interface Props {
  open: boolean;
  onClose: () => void;
  onStarted: (conversation: string) => void;
  instances: Instance[];
  country: string | null | undefined;
}

/** A new conversation: somebody we know, found by name, or a number. */
export default function StartDialog({ open, onClose, onStarted, instances, country }: Props) {
  const [words, setWords] = useState("");
  const [from, setFrom] = useState("");
  const [tried, setTried] = useState(false);
  const search = useDeferredValue(words.trim());
  const found = useInfiniteQuery({ ...contacts({ search, status: "" }), enabled: open && search.length > 0 });
  const start = useStart();
  const number = readPhone(words, country);
  const usable = instances.filter((one) => one.state !== "banned");
  const instanceId = from || usable.find((one) => one.state === "connected")?.id || usable[0]?.id;

  const go = (to: { contactId?: string; phone?: string }) =>
    start.mutate(
      { ...to, ...(instanceId && { instanceId }) },
      {
        onSuccess: (one) => {
          setWords("");
          setTried(false);
          onStarted(one.id);
        },
      },
    );

  return (
    <Dialog open={open} onClose={onClose} title={t("start.title")} text={t("start.text")} testId="start-dialog">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (number) go({ phone: number });
        }}
      >
        <TextField
          label={t("start.who")}
          hint={t("start.hint")}
          error={start.isError ? describe(start.error).detail : tried && !number ? t("start.notNumber") : undefined}
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
            setTried(false);
            start.reset();
          }}
          autoFocus
          autoComplete="off"
          placeholder="+27 82 000 0011"
        />
        {search && (found.data?.pages[0]?.items.length ?? 0) > 0 && (
          <ul aria-label={t("start.known")} className="-mx-2 max-h-60 overflow-y-auto">
            {found.data?.pages[0]?.items.slice(0, 8).map((one) => (
              <li key={one.id}>
                <button
                  type="button"
                  onClick={() => go({ contactId: one.id })}
                  className="press flex w-full items-center gap-3 rounded-control px-2 py-1.5 text-start hover:bg-hover"
                >
                  <Avatar id={one.id} name={one.name ?? ""} size={32} />
                  <span className="min-w-0 flex-1 truncate font-medium">{nameOf(one)}</span>
                  {one.phone && <span className="text-12 text-muted tabular-nums">{phone(one.phone)}</span>}
                </button>
              </li>
            ))}
          </ul>
        )}
        {usable.length > 1 && (
          <SelectField label={t("start.from")} value={instanceId} onChange={(event) => setFrom(event.target.value)}>
            {usable.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </SelectField>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t("dialog.cancel")}</Button>
          <Button type="submit" look="filled" disabled={!words.trim()} busy={start.isPending && t("start.busy")}>
            {t("start.go")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
