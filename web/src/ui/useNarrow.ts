import { useSyncExternalStore } from "react";

/** True while the page is at most `width` wide. 640: one pane; 1024: two. */
export function useNarrow(width = 640): boolean {
  return useSyncExternalStore(
    (reader) => {
      const query = matchMedia(`(max-width: ${width}px)`);
      query.addEventListener("change", reader);
      return () => query.removeEventListener("change", reader);
    },
    () => matchMedia(`(max-width: ${width}px)`).matches,
  );
}
