import { useEffect } from "react";
import { remembered } from "~/ui/store";

export type Theme = "light" | "dark" | "system";

const isTheme = (value: unknown): value is Theme => value === "light" || value === "dark" || value === "system";

/** What the person chose on this device. `public/theme.js` reads the same before the first paint. */
export const theme = remembered<Theme>("theme", "system", isTheme);

const night = () => matchMedia("(prefers-color-scheme: dark)");

export function applyTheme(chosen: Theme): void {
  const dark = chosen === "dark" || (chosen === "system" && night().matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

/** Keeps the page in the chosen theme, and in the system's while none is chosen. */
export function useTheme(): void {
  const chosen = theme.use();
  useEffect(() => {
    applyTheme(chosen);
    const query = night();
    const follow = () => applyTheme(chosen);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, [chosen]);
}
