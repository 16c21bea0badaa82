import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { preferences, useChangePreferences } from "~/api/preferences";
import { describe } from "~/api/problem";
import type { Preferences } from "~/api/types";
import { type PlainKey, t } from "~/i18n/t";
import { desktop, sound } from "~/ui/alerts";
import { chime } from "~/ui/chime";
import { TextField } from "~/ui/Field";
import { Section } from "~/ui/Section";
import { Switch } from "~/ui/Switch";
import { BoneRows, Failed, Loading } from "~/ui/states";
import { toast } from "~/ui/toast";

const about = ["mine", "team", "all"] as const;

/** What I am called for (kept with my name in this workspace), and how this device calls (kept on it). */
export function Notifications() {
  const query = useQuery(preferences);
  const change = useChangePreferences((error) => toast.error(t("toast.notChanged", { why: describe(error).detail })));
  const mine = query.data;
  return (
    <>
      <Section flush title={t("notifications.about")} text={t("notifications.aboutText")}>
        {mine ? (
          <fieldset>
            <legend className="sr-only">{t("notifications.about")}</legend>
            {about.map((one) => (
              <label
                key={one}
                className="flex min-h-11 items-center gap-3 border-t border-border px-4 py-2.5 font-medium hover:bg-hover phone:px-5"
              >
                <input
                  type="radio"
                  name="alerts"
                  checked={mine.alerts === one}
                  onChange={() => change.mutate({ alerts: one })}
                  className="size-4 accent-primary"
                />
                {t(`notifications.${one}` as PlainKey)}
              </label>
            ))}
            <Quiet mine={mine} onChange={change.mutate} />
          </fieldset>
        ) : query.isError ? (
          <Failed error={query.error} what={t("notifications.failed")} onRetry={() => void query.refetch()} />
        ) : (
          <Loading>
            <BoneRows rows={4} />
          </Loading>
        )}
      </Section>
      <ThisDevice />
    </>
  );
}

type Hours = Partial<Pick<Preferences, "quiet" | "quietFrom" | "quietUntil">>;

function Quiet({ mine, onChange }: { mine: Preferences; onChange: (change: Hours) => void }) {
  return (
    <>
      <Switch
        label={t("notifications.quiet")}
        text={t("notifications.quietText")}
        on={mine.quiet}
        onChange={(quiet) => onChange({ quiet })}
      />
      {mine.quiet && (
        <div className="flex flex-wrap gap-4 px-4 pb-4 phone:px-5">
          {(["quietFrom", "quietUntil"] as const).map((one) => (
            <TextField
              key={`${one} ${mine[one]}`}
              label={t(`notifications.${one}`)}
              type="time"
              required
              defaultValue={mine[one]}
              className="w-32"
              // Each key that is typed changes the field: it is sent when it is left.
              onBlur={({ target }) => target.value && target.value !== mine[one] && onChange({ [one]: target.value })}
            />
          ))}
        </div>
      )}
    </>
  );
}

const allowed = () => ("Notification" in window ? Notification.permission : "unsupported");

function ThisDevice() {
  const [permission, setPermission] = useState<string>(allowed);
  const shows = desktop.use() && permission === "granted";
  const turn = async (on: boolean) => {
    // Nobody is asked for a permission before they ask for what needs it.
    const answer = on && permission === "default" ? await Notification.requestPermission() : permission;
    setPermission(answer);
    desktop.set(on && answer === "granted");
  };
  return (
    <Section flush title={t("notifications.device")} text={t("notifications.deviceText")}>
      <Switch
        label={t("notifications.sound")}
        text={
          <>
            {t("notifications.soundText")}{" "}
            <button type="button" className="-my-2 py-2 text-link underline underline-offset-3" onClick={chime}>
              {t("notifications.listen")}
            </button>
          </>
        }
        on={sound.use()}
        onChange={sound.set}
      />
      <Switch
        label={t("notifications.desktop")}
        text={t(
          permission === "unsupported"
            ? "notifications.desktopNever"
            : permission === "denied"
              ? "notifications.desktopDenied"
              : "notifications.desktopText",
        )}
        on={shows}
        off={permission === "unsupported" || permission === "denied"}
        onChange={(on) => void turn(on)}
      />
    </Section>
  );
}
