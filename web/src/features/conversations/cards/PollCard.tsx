import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Message } from "~/api/types";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { When } from "~/ui/When";
import { known } from "../cache";
import { poll, type Vote } from "../content";
import { Unsupported } from "./Unsupported";

/** A poll with its votes as they are now; who chose what, when it is asked for. */
export function PollCard({ message }: { message: Message }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const asked = poll(message.content);
  if (!asked) return <Unsupported message={message} />;
  const { votes } = asked;
  const counts = asked.options.map((option) => votes.filter((vote) => vote.options.includes(option)).length);
  const most = Math.max(1, ...counts);
  const voter = (direction: Vote["direction"]) =>
    direction === "inbound" ? nameOf(known(client, message.conversationId)?.contact ?? {}) : t("poll.us");
  return (
    <div className="mb-1 w-64 max-w-full" data-testid="poll">
      <div dir="auto" className="font-strong break-words">
        {asked.question}
      </div>
      <div className="text-12 text-muted">{t(asked.multiple ? "poll.chooseSeveral" : "poll.chooseOne")}</div>
      <ul>
        {asked.options.map((option, at) => (
          <li key={option} className="mt-2 text-13" data-testid="poll-answer">
            <div className="flex gap-2">
              <span dir="auto" className="min-w-0 flex-1 break-words at-start">
                {option}
              </span>
              <span className="text-12 tabular-nums" title={t("poll.count", { n: counts[at] ?? 0 })}>
                {counts[at]}
              </span>
            </div>
            <div className="mt-1 h-1 overflow-hidden rounded-full bg-well" aria-hidden="true">
              <div className="h-full bg-primary" style={{ width: `${((counts[at] ?? 0) / most) * 100}%` }} />
            </div>
            {open &&
              votes
                .filter((vote) => vote.options.includes(option))
                .map((vote) => (
                  <div key={vote.direction} className="mt-1 flex gap-2 text-12 text-muted" data-testid="poll-voter">
                    <bdi className="min-w-0 flex-1 truncate">{voter(vote.direction)}</bdi>
                    {vote.at && <When at={vote.at} />}
                  </div>
                ))}
          </li>
        ))}
      </ul>
      {votes.length > 0 ? (
        <button
          type="button"
          aria-expanded={open}
          data-testid="poll-who"
          onClick={() => setOpen(!open)}
          className="mt-2 text-12 font-medium text-link underline-offset-2 hover:underline pointer-coarse:min-h-11"
        >
          {t(open ? "poll.hideWho" : "poll.who", { n: votes.length })}
        </button>
      ) : (
        <p className="mt-2 text-12 text-muted">{t("poll.noVotes")}</p>
      )}
    </div>
  );
}
