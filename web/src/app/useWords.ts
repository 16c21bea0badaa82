import { useCallback, useEffect, useRef, useState } from "react";
import { useSearchParams } from "react-router";

const PAUSE = 200;

export interface Words {
  /** As they stand in the field. */
  words: string;
  /** As they stand in the address. */
  asked: string;
  type: (words: string) => void;
}

/**
 * The words of a search field. What is typed is kept here, at once; the address (and with it the question to the server)
 * follows when the typing pauses: navigating at each key would lose letters.
 */
export function useWords(): Words {
  const [params, setParams] = useSearchParams();
  const asked = params.get("q") ?? "";
  const [words, setWords] = useState(asked);
  const written = useRef(asked);

  // The back button, or a link, changed the address.
  useEffect(() => {
    if (asked === written.current) return;
    written.current = asked;
    setWords(asked);
  }, [asked]);

  const write = useRef((_: string) => {});
  write.current = (next) => {
    written.current = next;
    setParams(
      (before) => {
        const after = new URLSearchParams(before);
        if (next) after.set("q", next);
        else after.delete("q");
        return after;
      },
      { replace: true },
    );
  };
  useEffect(() => {
    if (words === written.current) return;
    const timer = setTimeout(() => write.current(words), words ? PAUSE : 0);
    return () => clearTimeout(timer);
  }, [words]);

  return { words, asked, type: useCallback((next: string) => setWords(next), []) };
}
