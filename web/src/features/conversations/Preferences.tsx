import { t } from "~/i18n/t";
import { Section } from "~/ui/Section";
import { Switch } from "~/ui/Switch";
import { aloud, denseRows, enterSends } from "./settings";

/** How the inbox behaves on this device. */
export function Preferences() {
  return (
    <Section flush title={t("settings.preferences")} text={t("preferences.text")}>
      <Switch
        label={t("preferences.enter")}
        text={t("preferences.enterText")}
        on={enterSends.use()}
        onChange={enterSends.set}
      />
      <Switch
        label={t("preferences.dense")}
        text={t("preferences.denseText")}
        on={denseRows.use()}
        onChange={denseRows.set}
      />
      <Switch label={t("preferences.aloud")} text={t("preferences.aloudText")} on={aloud.use()} onChange={aloud.set} />
    </Section>
  );
}
