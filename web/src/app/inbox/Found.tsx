import { useNavigate } from "react-router";
import { describe } from "~/api/problem";
import { useStart } from "~/features/contacts/queries";
import { SearchResults } from "~/features/conversations/Search";
import { toast } from "~/ui/toast";

/** What was found; a contact without a conversation gets one when it is chosen. */
export function Found({ words, to, onClear }: { words: string; to: (id: string) => string; onClear: () => void }) {
  const open = useStart();
  const navigate = useNavigate();
  return (
    <SearchResults
      words={words.trim()}
      to={to}
      onClear={onClear}
      onContact={(contact) =>
        open.mutate(
          { contactId: contact.id },
          {
            onSuccess: (one) => navigate(to(one.id)),
            onError: (error) => toast.error(describe(error).detail),
          },
        )
      }
    />
  );
}
