import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, once, take } from "~/api/client";
import { describe } from "~/api/problem";
import type { Note } from "~/api/types";
import { t } from "~/i18n/t";
import { Confirm } from "~/ui/Dialog";
import { toast } from "~/ui/toast";
import { dropNote } from "./cache";

/** Asks before a note goes: nobody can bring it back. */
export default function DeleteNote({ note, onClose }: { note: Note; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => take(api.DELETE("/api/notes/{id}", { params: { path: { id: note.id } }, headers: once() })),
    onSuccess: () => dropNote(client, note),
    onError: (error) => toast.error(describe(error).detail),
    onSettled: onClose,
  });
  return (
    <Confirm
      open
      onClose={onClose}
      title={t("note.deleteTitle")}
      text={t("note.deleteText")}
      keep={t("dialog.cancel")}
      act={t("note.deleteGo")}
      busy={remove.isPending && t("form.working")}
      onAct={() => remove.mutate()}
    />
  );
}
