import { cleanup, configure } from "@testing-library/react";
import { toast } from "sonner";
import { afterEach, beforeEach, vi } from "vitest";
import { language } from "~/i18n/language";
import { screen } from "./house";

// What happy-dom does not measure: every box has a size, so that virtual lists show their first rows.
Object.defineProperties(HTMLElement.prototype, {
  clientHeight: { configurable: true, get: () => 800 },
  clientWidth: { configurable: true, get: () => 400 },
  offsetHeight: { configurable: true, get: () => 800 },
  offsetWidth: { configurable: true, get: () => 400 },
});
HTMLElement.prototype.scrollIntoView = () => undefined;
HTMLElement.prototype.scrollTo = () => undefined;
globalThis.IntersectionObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
  takeRecords = () => [];
} as never;
globalThis.ResizeObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
} as never;

language.locale = "en-GB";

// The page itself would be a hundred lines for each thing that is not found: its words say enough.
configure({
  asyncUtilTimeout: 4_000,
  getElementError: (message) => new Error(`${message?.split("\n")[0]}\nThe page says: ${document.body.textContent}`),
});

beforeEach(() => {
  screen.width = 1440;
  screen.dark = false;
  vi.stubGlobal("matchMedia", (query: string) => {
    const most = /max-width: (\d+)px/.exec(query)?.[1];
    return {
      get matches() {
        return most ? screen.width <= Number(most) : /dark/.test(query) ? screen.dark : false;
      },
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    };
  });
});

afterEach(() => {
  cleanup();
  toast.dismiss();
  localStorage.clear();
  sessionStorage.clear();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
