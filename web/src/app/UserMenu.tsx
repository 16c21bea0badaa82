import { useQuery } from "@tanstack/react-query";
import {
  Bell,
  Ellipsis,
  Keyboard,
  Languages,
  LogOut,
  Monitor,
  MonitorSmartphone,
  Moon,
  Sun,
  Timer,
  User,
} from "lucide-react";
import { useNavigate } from "react-router";
import { preferences, useChangePreferences } from "~/api/preferences";
import { describe } from "~/api/problem";
import { useSession } from "~/api/session";
import { language, languages, ownName, switchLanguage } from "~/i18n/language";
import { type PlainKey, t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuMore, MenuSeparator } from "~/ui/Menu";
import { Presence, PresenceDot } from "~/ui/Presence";
import { toast } from "~/ui/toast";
import { showShortcuts } from "./overlays";
import { signOut } from "./signOut";
import { type Theme, theme } from "./theme";

const themes: { value: Theme; icon: typeof Sun }[] = [
  { value: "light", icon: Sun },
  { value: "dark", icon: Moon },
  { value: "system", icon: Monitor },
];

/** Minutes without a move until somebody is away; 0: never. */
const idleChoices = [5, 15, 30, 60, 0];
const idleName = (n: number): string => (n > 0 ? t("time.minutes", { n }) : t("availability.idleNever"));

/** Who is signed in, whether they are at work, the theme, and the way out. */
export function UserMenu({ tight, phone }: { tight?: boolean; phone?: boolean }) {
  const { user } = useSession();
  const chosen = theme.use();
  const navigate = useNavigate();
  const mine = useQuery(preferences).data;
  const change = useChangePreferences((error) => toast.error(t("toast.notChanged", { why: describe(error).detail })));
  const face = (
    <Presence of={mine} ground="border-rail-strong">
      <Avatar id={user.id} name={user.name} size={phone ? 32 : 28} className="bg-rail-active text-rail-strong" />
    </Presence>
  );
  return (
    <Menu
      label={t("user.menu")}
      align={phone ? "end" : "start"}
      side={phone ? "bottom" : "top"}
      trigger={
        <button
          type="button"
          data-testid="user-menu"
          aria-label={t("user.menuOf", { name: user.name })}
          className="press flex min-h-9 w-full items-center gap-2 rounded-control px-1 text-13 text-rail-strong hover:bg-rail-hover max-phone:size-11 max-phone:w-auto max-phone:shrink-0 max-phone:justify-center max-phone:rounded-full"
        >
          {face}
          {!tight && !phone && (
            <>
              <span className="min-w-0 flex-1 truncate text-start">{user.name}</span>
              <Ellipsis size={16} aria-hidden />
            </>
          )}
        </button>
      }
    >
      <div className="px-2.5 pt-1.5 pb-2">
        <div className="text-13 font-strong">{user.name}</div>
        <div className="text-12 text-muted">{user.email}</div>
      </div>
      {mine && (
        <>
          <MenuSeparator />
          <MenuLabel>{t("availability.title")}</MenuLabel>
          {[false, true].map((away) => (
            <MenuChoice
              key={String(away)}
              chosen={mine.away === away}
              icon={<PresenceDot away={away} className="m-1" />}
              onSelect={() => change.mutate({ away })}
            >
              {t(away ? "availability.away" : "availability.available")}
            </MenuChoice>
          ))}
          <MenuMore icon={<Timer aria-hidden />} name={t("availability.idle")} value={idleName(mine.idleMinutes)}>
            {idleChoices.map((minutes) => (
              <MenuChoice
                key={minutes}
                chosen={minutes === mine.idleMinutes}
                onSelect={() => change.mutate({ idleMinutes: minutes })}
              >
                {idleName(minutes)}
              </MenuChoice>
            ))}
          </MenuMore>
        </>
      )}
      <MenuSeparator />
      <MenuItem icon={<Bell aria-hidden />} onSelect={() => navigate("/settings/notifications")}>
        {t("settings.notifications")}
      </MenuItem>
      <MenuItem icon={<User aria-hidden />} onSelect={() => navigate("/settings/profile")}>
        {t("settings.profile")}
      </MenuItem>
      <MenuItem icon={<MonitorSmartphone aria-hidden />} onSelect={() => navigate("/settings/sign-ins")}>
        {t("settings.signIns")}
      </MenuItem>
      <MenuItem icon={<Keyboard aria-hidden />} keys="?" onSelect={showShortcuts}>
        {t("shortcuts.title")}
      </MenuItem>
      <MenuSeparator />
      <MenuLabel>{t("theme.title")}</MenuLabel>
      {themes.map(({ value, icon: Icon }) => (
        <MenuChoice key={value} chosen={value === chosen} icon={<Icon aria-hidden />} onSelect={() => theme.set(value)}>
          {t(`theme.${value}` as PlainKey)}
        </MenuChoice>
      ))}
      <MenuSeparator />
      <MenuMore icon={<Languages aria-hidden />} name={t("language.title")} value={ownName[language.code]}>
        {languages.map((one) => (
          <MenuChoice key={one} chosen={one === language.code} onSelect={() => switchLanguage(one)}>
            <span lang={one}>{ownName[one]}</span>
          </MenuChoice>
        ))}
      </MenuMore>
      <MenuSeparator />
      <MenuItem icon={<LogOut aria-hidden />} onSelect={() => void signOut()} testId="sign-out">
        {t("user.signOut")}
      </MenuItem>
    </Menu>
  );
}
