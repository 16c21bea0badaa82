import { useSyncExternalStore } from "react";

/** What this device remembers: a value in local storage that all components (and other tabs) see change. */
export interface Remembered<V> {
  get(): V;
  set(value: V): void;
  use(): V;
}

export function remembered<V>(name: string, first: V, valid: (value: unknown) => value is V): Remembered<V> {
  const key = `indaba.${name}`;
  const readers = new Set<() => void>();
  let value = read();

  function read(): V {
    try {
      const text = localStorage.getItem(key);
      if (text === null) return first;
      const stored: unknown = JSON.parse(text);
      return valid(stored) ? stored : first;
    } catch {
      return first;
    }
  }
  const tell = () => {
    for (const reader of readers) reader();
  };
  addEventListener("storage", (event) => {
    if (event.key !== key) return;
    value = read();
    tell();
  });
  const subscribe = (reader: () => void) => {
    readers.add(reader);
    return () => void readers.delete(reader);
  };
  return {
    get: () => value,
    set(next) {
      value = next;
      try {
        localStorage.setItem(key, JSON.stringify(next));
      } catch {
        // Storage is full or blocked: it is remembered until the page closes.
      }
      tell();
    },
    use: () => useSyncExternalStore(subscribe, () => value),
  };
}

export const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
export const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
