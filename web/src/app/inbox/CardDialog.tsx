import { useInfiniteQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useSession } from "~/api/session";
import { contacts } from "~/features/contacts/queries";
import { readPhone } from "~/features/contacts/StartDialog";
import type { Part } from "~/features/conversations/outbox";
import { PartDialog } from "~/features/conversations/PartDialog";
import { phone as written } from "~/i18n/format";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Button } from "~/ui/Button";
import { TextField } from "~/ui/Field";
import { IconButton } from "~/ui/IconButton";

const MOST = 10;

/** Somebody whose card goes out: a contact of ours, or a name and a number. */
interface Chosen {
  id?: string;
  name: string;
  phone: string;
}

const asPart = (all: Chosen[]): Part | undefined =>
  all[0] && {
    kind: "contacts",
    body: all[0].name,
    fields: { contacts: all.map(({ id, name, phone }) => (id ? { contactId: id } : { name, phone })) },
    content: { contacts: all.map(({ name, phone }) => ({ name, phones: [{ value: phone }] })) },
  };

/** Contact cards: people we know, found by name, or anybody with a name and a number. */
export default function CardDialog({ onClose, onSend }: { onClose: () => void; onSend: (part: Part) => void }) {
  const { tenant } = useSession();
  const [words, setWords] = useState("");
  const [chosen, choose] = useState<Chosen[]>([]);
  const [other, setOther] = useState(false);
  const [name, setName] = useState("");
  const [phone, setPhone] = useState("");
  const [tried, setTried] = useState(false);
  const search = useDeferredValue(words.trim());
  const found = useInfiniteQuery({ ...contacts({ search, status: "" }), enabled: search.length > 0 });
  const full = chosen.length >= MOST;
  const number = readPhone(phone, tenant.country);
  const hits = (found.data?.pages[0]?.items ?? [])
    .filter((one) => one.phone && !chosen.some(({ id }) => id === one.id))
    .slice(0, 6);

  const typed: Chosen | undefined = other && name.trim() && number ? { name: name.trim(), phone: number } : undefined;
  const add = () => {
    setTried(true);
    if (!typed) return;
    choose([...chosen, typed]);
    setName("");
    setPhone("");
    setTried(false);
    setOther(false);
  };

  const take = (one: (typeof hits)[number]) => {
    choose([...chosen, { id: one.id, name: nameOf(one), phone: one.phone ?? "" }]);
    setWords("");
  };

  const half = other && !typed;
  return (
    <PartDialog
      title={t("cards.title")}
      part={half ? undefined : asPart(typed ? [...chosen, typed] : chosen)}
      send={t("cards.send", { n: Math.max(1, chosen.length + (other ? 1 : 0)) })}
      disabled={chosen.length === 0 && !other}
      dirty={chosen.length > 0 || [words, name, phone].some((one) => one.trim())}
      onTry={() => setTried(true)}
      onSend={onSend}
      onClose={onClose}
      testId="card"
    >
      {chosen.length > 0 && (
        <ul aria-label={t("cards.chosen")} className="flex flex-col gap-1" data-testid="cards-chosen">
          {chosen.map((one) => (
            <li
              key={one.id ?? one.phone}
              className="flex items-center gap-3 rounded-control border border-border py-1 ps-2 pe-1"
            >
              <Avatar id={one.id ?? one.phone} name={one.name} size={24} />
              <bdi className="min-w-0 flex-1 truncate font-medium">{one.name}</bdi>
              <span className="text-12 text-muted tabular-nums">{written(one.phone)}</span>
              <IconButton
                label={t("cards.remove", { name: one.name })}
                icon={<X size={16} aria-hidden />}
                tip={false}
                onClick={() => choose(chosen.filter((each) => each !== one))}
              />
            </li>
          ))}
        </ul>
      )}
      {other ? (
        <>
          <TextField
            label={t("contact.name")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            error={tried && !name.trim() ? t("cards.noName") : undefined}
            autoComplete="off"
            autoFocus
          />
          <TextField
            label={t("cards.phone")}
            value={phone}
            onChange={(event) => setPhone(event.target.value)}
            error={tried && !number ? t("start.notNumber") : undefined}
            placeholder="+27 82 000 0011"
            type="tel"
            autoComplete="off"
          />
          <div className="flex flex-wrap gap-2">
            <Button size="dense" onClick={add} data-testid="card-add">
              {t("cards.add")}
            </Button>
            <Button size="dense" look="quiet" onClick={() => setOther(false)}>
              {t("cards.search")}
            </Button>
          </div>
        </>
      ) : (
        <>
          <TextField
            label={t("cards.who")}
            hint={full ? t("cards.full", { n: MOST }) : t("cards.hint")}
            value={words}
            disabled={full}
            onChange={(event) => setWords(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
              // It chooses; it does not send. Hits for other words than these are not meant.
              event.preventDefault();
              const first = hits[0];
              if (first && search && search === words.trim() && !found.isPlaceholderData) take(first);
            }}
            autoComplete="off"
            autoFocus
            data-testid="card-search"
          />
          {search && !full && (
            <ul aria-label={t("start.known")} className="-mx-2 max-h-60 overflow-y-auto">
              {hits.map((one) => (
                <li key={one.id}>
                  <button
                    type="button"
                    onClick={() => take(one)}
                    className="press flex w-full items-center gap-3 rounded-control px-2 py-1.5 text-start hover:bg-hover"
                  >
                    <Avatar id={one.id} name={one.name ?? ""} size={32} />
                    <bdi className="min-w-0 flex-1 truncate font-medium">{nameOf(one)}</bdi>
                    <span className="text-12 text-muted tabular-nums">{written(one.phone ?? "")}</span>
                  </button>
                </li>
              ))}
              {found.isSuccess && hits.length === 0 && (
                <li className="px-2 py-1.5 text-13 text-muted">{t("cards.nobody", { words: search })}</li>
              )}
            </ul>
          )}
          {!full && (
            <Button
              size="dense"
              look="quiet"
              className="self-start"
              onClick={() => setOther(true)}
              data-testid="card-other"
            >
              {t("cards.other")}
            </Button>
          )}
        </>
      )}
    </PartDialog>
  );
}
