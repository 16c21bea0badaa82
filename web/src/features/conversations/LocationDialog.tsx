import { MapPin } from "lucide-react";
import { useState } from "react";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { TextField } from "~/ui/Field";
import type { Part } from "./outbox";
import { isShort, readPlace } from "./place";

/** A place, out of a link to a map or its coordinates. Nobody outside is asked: what is shown is what was read. */
export default function LocationDialog({ onClose, onSend }: { onClose: () => void; onSend: (part: Part) => void }) {
  const [where, setWhere] = useState("");
  const [name, setName] = useState<string>();
  const [address, setAddress] = useState("");
  const [tried, setTried] = useState(false);
  const spot = readPlace(where);
  const called = name ?? spot?.name ?? "";
  const problem =
    spot || !where.trim()
      ? tried && !spot
        ? t("spot.missing")
        : undefined
      : isShort(where)
        ? t("spot.short")
        : tried
          ? t("spot.unread")
          : undefined;
  return (
    <Dialog
      open
      dirty={[where, name, address].some((one) => one?.trim())}
      onClose={onClose}
      title={t("spot.title")}
      testId="location-dialog"
    >
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!spot) {
            event.currentTarget.querySelector("input")?.focus();
            return;
          }
          const location = {
            latitude: spot.latitude,
            longitude: spot.longitude,
            ...(called.trim() && { name: called.trim() }),
            ...(address.trim() && { address: address.trim() }),
          };
          const body = location.name ?? location.address ?? "";
          onSend({ kind: "location", body, fields: { location }, content: location });
        }}
      >
        <TextField
          label={t("spot.where")}
          hint={t("spot.hint")}
          error={problem}
          value={where}
          onChange={(event) => {
            setWhere(event.target.value);
            setTried(false);
          }}
          placeholder="-26.2041, 28.0473"
          autoComplete="off"
          spellCheck={false}
          dir="ltr"
          autoFocus
        />
        <p
          className="flex min-h-9 items-center gap-2 rounded-control bg-well px-3 text-13 text-muted tabular-nums"
          aria-live="polite"
          data-testid="place-found"
        >
          <MapPin size={16} aria-hidden />
          {spot ? (
            <bdi dir="ltr">
              {spot.latitude.toFixed(5)}, {spot.longitude.toFixed(5)}
            </bdi>
          ) : (
            t("spot.none")
          )}
        </p>
        <TextField
          label={t("spot.name")}
          value={called}
          maxLength={200}
          onChange={(event) => setName(event.target.value)}
          autoComplete="off"
          dir={called ? "auto" : undefined}
        />
        <TextField
          label={t("spot.address")}
          value={address}
          maxLength={400}
          onChange={(event) => setAddress(event.target.value)}
          autoComplete="off"
          dir={address ? "auto" : undefined}
        />
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t("dialog.cancel")}</Button>
          <Button type="submit" look="filled" data-testid="location-send">
            {t("spot.send")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
