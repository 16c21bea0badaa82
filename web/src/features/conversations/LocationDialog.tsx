import { MapPin } from "lucide-react";
import { useState } from "react";
import { t } from "~/i18n/t";
import { TextField } from "~/ui/Field";
import type { Part } from "./outbox";
import { PartDialog } from "./PartDialog";
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
  const location = spot && {
    latitude: spot.latitude,
    longitude: spot.longitude,
    ...(called.trim() && { name: called.trim() }),
    ...(address.trim() && { address: address.trim() }),
  };
  return (
    <PartDialog
      title={t("spot.title")}
      part={
        location && {
          kind: "location",
          body: location.name ?? location.address ?? "",
          fields: { location },
          content: location,
        }
      }
      send={t("spot.send")}
      dirty={[where, name, address].some((one) => one?.trim())}
      onTry={() => setTried(true)}
      onSend={onSend}
      onClose={onClose}
      testId="location"
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
    </PartDialog>
  );
}
