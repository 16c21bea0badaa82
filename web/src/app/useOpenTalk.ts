import { useCallback } from "react";
import { useNavigate } from "react-router";
import { describe } from "~/api/problem";
import { useStart } from "~/features/contacts/queries";
import { toWrite } from "~/features/conversations/toWrite";
import { toast } from "~/ui/toast";

const address = (id: string): string => `/chat/${id}`;

/** Goes to the conversation with a contact or a number; it is made when there is none. */
export function useOpenTalk(to = address) {
  const navigate = useNavigate();
  const { mutateAsync, isPending } = useStart();
  const open = useCallback(
    // A promise, for the palette is closed by then: the callbacks of `mutate` end with who called it.
    (whom: { contactId: string } | { phone: string }) =>
      void mutateAsync(whom).then(
        (one) => navigate(to(one.id), { state: toWrite }),
        (error) => toast.error(describe(error).detail),
      ),
    [mutateAsync, navigate, to],
  );
  return { open, busy: isPending };
}
