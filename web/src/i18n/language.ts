/** The language of this page. It does not change while the page is open: a switch loads it again. */
export const language: { locale: string; pseudo: boolean } = { locale: "en", pseudo: false };

/** Reads `?lang=`; `pseudo` stays on for the tab, so that it survives a click. */
export function chooseLanguage(): void {
  const asked = new URLSearchParams(location.search).get("lang");
  try {
    if (asked) sessionStorage.setItem("indaba.lang", asked);
    language.pseudo = (asked ?? sessionStorage.getItem("indaba.lang")) === "pseudo";
  } catch {
    language.pseudo = asked === "pseudo";
  }
  // Dates and numbers follow the reader's own English (24 h or 12 h, order of day and month).
  language.locale = navigator.languages?.find((one) => one.startsWith("en")) ?? "en";
}

chooseLanguage();
