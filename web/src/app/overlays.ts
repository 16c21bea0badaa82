import { useSyncExternalStore } from "react";

type Overlay = "palette" | "shortcuts" | undefined;

let shown: Overlay;
const readers = new Set<() => void>();
function show(next: Overlay): void {
  shown = next;
  for (const reader of readers) reader();
}
const subscribe = (reader: () => void) => {
  readers.add(reader);
  return () => void readers.delete(reader);
};

export const showPalette = (): void => show("palette");
export const showShortcuts = (): void => show("shortcuts");
export const hideOverlay = (): void => show(undefined);
export const useOverlay = (): Overlay => useSyncExternalStore(subscribe, () => shown);
