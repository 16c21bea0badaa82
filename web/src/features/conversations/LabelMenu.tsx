import { useQuery } from "@tanstack/react-query";
import { Settings2 } from "lucide-react";
import type { ReactElement } from "react";
import { useNavigate } from "react-router";
import { useSession } from "~/api/session";
import { type Conversation, may } from "~/api/types";
import { t } from "~/i18n/t";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuSeparator, type TriggerProps } from "~/ui/Menu";
import { useChange, wishedLabels } from "./acts";
import { Dot } from "./LabelChip";
import { carried, labels as labelsQuery, MOST } from "./labels";

/** Puts labels on a conversation and takes them off; it stays open, for there is often more than one. */
export function LabelMenu({
  conversation,
  trigger,
}: {
  conversation: Conversation;
  trigger: ReactElement<TriggerProps>;
}) {
  return (
    <Menu label={t("label.title")} trigger={trigger}>
      {() => <Choices conversation={conversation} />}
    </Menu>
  );
}

function Choices({ conversation: { id, labels } }: { conversation: Conversation }) {
  const session = useSession();
  const navigate = useNavigate();
  const change = useChange();
  const { data: all = [] } = useQuery(labelsQuery);
  const on = carried(new Map(all.map((one) => [one.id, one])), labels).map((one) => one.id);
  // The page may show the answer to an earlier tick: this one turns what is wished.
  const tick = (label: string) =>
    change.mutate({ id, change: { label: { id: label, on: !wishedLabels(id, labels).includes(label) } } });
  const full = on.length >= MOST;
  return (
    <>
      <MenuLabel>{t(all.length === 0 ? "label.none" : full ? "label.full" : "label.title")}</MenuLabel>
      {all.map((one) => {
        const chosen = on.includes(one.id);
        return (
          <MenuChoice
            key={one.id}
            stays
            chosen={chosen}
            disabled={full && !chosen}
            icon={<Dot colour={one.colour} className="size-2.5" />}
            onSelect={() => tick(one.id)}
          >
            {one.name}
          </MenuChoice>
        );
      })}
      {may(session, "manager") && (
        <>
          <MenuSeparator />
          <MenuItem icon={<Settings2 aria-hidden />} onSelect={() => navigate("/settings/labels")}>
            {t("label.manage")}
          </MenuItem>
        </>
      )}
    </>
  );
}
