// Sets the theme before the first paint. A file of its own, because the content security policy allows no inline script.
// Keep in step with src/app/theme.ts, which changes the theme later.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("indaba.theme");
  } catch {
    // Storage may be blocked: the system's theme it is.
  }
  const dark = chosen === '"dark"' || (chosen !== '"light"' && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
