import { useQueryClient } from "@tanstack/react-query";
import { Check, MailOpen, RotateCcw, User } from "lucide-react";
import { api, take } from "~/api/client";
import { keys } from "~/api/keys";
import { useSession } from "~/api/session";
import type { Conversation } from "~/api/types";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { MenuAt, MenuItem, MenuLabel } from "~/ui/Menu";
import { useChange } from "./acts";
import { putConversation } from "./cache";

/** What can be done with a conversation from the list, where a finger rested on it. */
export function RowMenu({
  row,
  at,
  onClose,
}: {
  row: Conversation;
  at: { x: number; y: number };
  onClose: () => void;
}) {
  const client = useQueryClient();
  const { user } = useSession();
  const change = useChange();
  const { id } = row;
  const closed = row.state === "closed";
  return (
    <MenuAt at={at} label={nameOf(row.contact)} onClose={onClose} testId="row-menu">
      <MenuLabel>{nameOf(row.contact)}</MenuLabel>
      <MenuItem
        icon={closed ? <RotateCcw aria-hidden /> : <Check aria-hidden />}
        onSelect={() => change.mutate({ id, change: { state: closed ? "open" : "closed" } })}
      >
        {t(closed ? "thread.reopen" : "thread.resolve")}
      </MenuItem>
      {row.assignee?.id !== user.id && (
        <MenuItem
          icon={<User aria-hidden />}
          onSelect={() => change.mutate({ id, change: { assignee: { id: user.id, name: user.name } } })}
        >
          {t("assign.me")}
        </MenuItem>
      )}
      {row.unreadCount > 0 && (
        <MenuItem
          icon={<MailOpen aria-hidden />}
          onSelect={() => {
            putConversation(client, { id, unreadCount: 0 }, user.id);
            take(api.POST("/api/conversations/{id}/read", { params: { path: { id } } }))
              .catch(() => client.invalidateQueries({ queryKey: keys.conversationLists }))
              .finally(() => client.invalidateQueries({ queryKey: keys.counts }));
          }}
        >
          {t("row.markRead")}
        </MenuItem>
      )}
    </MenuAt>
  );
}
