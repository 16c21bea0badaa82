import { useState } from "react";
import type { Conversation } from "~/api/types";
import { ContactPane } from "~/features/contacts/ContactPane";
import { LabelSection } from "~/features/conversations/LabelSection";
import { t } from "~/i18n/t";
import { Splitter } from "~/ui/Splitter";
import { useNarrow } from "~/ui/useNarrow";
import { contactOpen, contactWidth, listWidth, rail } from "../panes";

/** What a thread keeps beside all other panes: with these as they come, that is a page of 1,360. */
const THREAD = 500;
const VIEWS = 188;
const RAIL = { wide: 216, tight: 60, auto: 60 };

/** Where there is room the contact stands beside the thread, as it was left; else it lies over it until it is closed. */
export function useSide() {
  const others = RAIL[rail.use()] + VIEWS + listWidth.use() + contactWidth.use();
  const folded = useNarrow(others + THREAD - 1);
  const beside = contactOpen.use();
  const [over, setOver] = useState(false);
  return folded ? { folded, open: over, put: setOver } : { folded, open: beside, put: contactOpen.set };
}

export type Side = ReturnType<typeof useSide>;

/** The contact of a conversation, beside its thread or over it. */
export function ContactSide({ conversation, side }: { conversation: Conversation; side: Side }) {
  const width = contactWidth.use();
  if (!side.open) return null;
  const pane = (
    <ContactPane id={conversation.contact.id} talksTo={conversation.instance.name} onClose={() => side.put(false)}>
      <LabelSection conversation={conversation} />
    </ContactPane>
  );
  if (side.folded)
    return (
      <div className="appear absolute inset-y-0 end-0 z-20 w-full max-w-80 border-s border-border shadow-dialog max-phone:max-w-none">
        {pane}
      </div>
    );
  return (
    <>
      <Splitter label={t("pane.contact")} width={contactWidth} min={248} max={420} pane="end" />
      <div className="min-h-0 shrink-0 border-s border-border" style={{ width }}>
        {pane}
      </div>
    </>
  );
}
