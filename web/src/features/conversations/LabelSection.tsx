import { Tag } from "lucide-react";
import { useSession } from "~/api/session";
import { type Conversation, may } from "~/api/types";
import { t } from "~/i18n/t";
import { IconButton } from "~/ui/IconButton";
import { LabelChip } from "./LabelChip";
import { LabelMenu } from "./LabelMenu";
import { carried, useLabels } from "./labels";

/** All labels of a conversation, beside the contact. */
export function LabelSection({ conversation }: { conversation: Conversation }) {
  const session = useSession();
  const on = carried(useLabels(), conversation.labels);
  return (
    <section aria-label={t("label.title")} data-testid="pane-labels">
      <div className="flex min-h-8 items-center justify-between">
        <h3 className="text-13 font-strong">{t("label.title")}</h3>
        {may(session, "agent") && (
          <LabelMenu
            conversation={conversation}
            trigger={<IconButton label={t("label.change")} icon={<Tag size={16} aria-hidden />} />}
          />
        )}
      </div>
      {on.length > 0 ? (
        <div className="mt-1 flex flex-wrap gap-1">
          {on.map((one) => (
            <LabelChip key={one.id} label={one} />
          ))}
        </div>
      ) : (
        <p className="text-13 text-muted">{t("label.noneHere")}</p>
      )}
    </section>
  );
}
