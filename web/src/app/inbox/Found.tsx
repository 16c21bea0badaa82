import { SearchResults } from "~/features/conversations/Search";
import { useOpenTalk } from "../useOpenTalk";

/** What was found; a contact without a conversation gets one when it is chosen. */
export function Found({ words, to, onClear }: { words: string; to: (id: string) => string; onClear: () => void }) {
  const { open } = useOpenTalk(to);
  return (
    <SearchResults
      words={words.trim()}
      to={to}
      onClear={onClear}
      onContact={(contact) => open({ contactId: contact.id })}
    />
  );
}
