import { Languages, Sun } from "lucide-react";
import type { ReactNode } from "react";
import { language, languages, ownName, switchLanguage } from "~/i18n/language";
import { type PlainKey, t } from "~/i18n/t";
import { Cloth } from "~/ui/Cloth";
import { Mark } from "~/ui/Mark";
import { Menu, MenuChoice } from "~/ui/Menu";
import { Tick } from "~/ui/Tick";

function Sample({ side, children, at, tick }: { side: "in" | "out"; children: ReactNode; at: string; tick?: boolean }) {
  return (
    <div
      className={
        side === "in"
          ? "max-w-82 self-start rounded-[18px] rounded-es-[5px] bg-bubble-in px-4 py-3 text-15 text-text shadow-dialog"
          : "max-w-85 self-end rounded-[18px] rounded-ee-[5px] bg-bubble-out px-4 py-3 text-15 text-text shadow-dialog"
      }
    >
      {children}
      <div className="mt-1 flex items-center justify-end gap-1 text-12 text-muted">
        {at}
        {tick && <Tick state="read" />}
      </div>
    </div>
  );
}

/** Two halves: the cloth with a conversation on it, and the form. */
export function AuthLayout({ children, theme }: { children: ReactNode; theme: { value: string; next: () => void } }) {
  return (
    <div className="grid min-h-full two:grid-cols-2">
      <header className="rail relative flex flex-col overflow-hidden bg-rail px-14 py-10 text-rail-strong max-two:px-6 max-two:py-6">
        <Cloth
          kind="sheet"
          className="pointer-events-none absolute start-1/2 top-[41%] size-250 max-w-none -translate-x-1/2 -translate-y-1/2 text-rail-dot [mask:radial-gradient(circle,#000_30%,transparent_50%)] rtl:translate-x-1/2"
        />
        <div className="relative flex items-center gap-3 text-22 font-strong tracking-[-0.01em]">
          <Mark size={34} />
          {t("app.name")}
        </div>
        <div
          aria-hidden="true"
          className="relative my-auto flex w-full max-w-120 flex-col gap-3.5 self-center py-8 max-two:hidden"
        >
          <Sample side="in" at="21:47">
            {t("auth.sample1")}
          </Sample>
          <Sample side="out" at="21:47" tick>
            <div className="text-13 font-strong text-link">{t("auth.sampleBy")}</div>
            {t("auth.sample2")}
          </Sample>
          <Sample side="in" at="21:48">
            {t("auth.sample3")}
          </Sample>
        </div>
        <div className="relative max-two:mt-5">
          <p className="text-28 font-strong tracking-[-0.015em] max-two:text-18">{t("auth.slogan")}</p>
          <p className="mt-2 max-w-110 text-16 text-rail-text max-two:hidden">{t("auth.sloganText")}</p>
        </div>
      </header>
      <main className="relative flex flex-col items-center justify-center bg-surface px-5 pt-8 pb-20">
        <div className="w-full max-w-94">{children}</div>
        <div className="absolute inset-x-0 bottom-4 flex flex-wrap justify-center gap-x-1">
          <Menu
            side="top"
            align="start"
            label={t("language.title")}
            trigger={
              <button
                type="button"
                data-testid="language"
                aria-label={t("language.current", { language: ownName[language.code] })}
                className="press flex h-9 items-center gap-1.5 rounded-control px-3 text-12 text-muted hover:bg-hover hover:text-text"
              >
                <Languages size={14} aria-hidden />
                {ownName[language.code]}
              </button>
            }
          >
            {languages.map((one) => (
              <MenuChoice key={one} chosen={one === language.code} onSelect={() => switchLanguage(one)}>
                <span lang={one}>{ownName[one]}</span>
              </MenuChoice>
            ))}
          </Menu>
          <button
            type="button"
            onClick={theme.next}
            className="press flex h-9 items-center gap-1.5 rounded-control px-3 text-12 text-muted hover:bg-hover hover:text-text"
          >
            <Sun size={14} aria-hidden />
            {t("theme.current", { theme: t(`theme.${theme.value}` as PlainKey) })}
          </button>
        </div>
      </main>
    </div>
  );
}
