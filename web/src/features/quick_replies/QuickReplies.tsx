import { useQuery } from "@tanstack/react-query";
import { MessageSquareQuote, Paperclip, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { describe } from "~/api/problem";
import { useSession } from "~/api/session";
import { may, type QuickReply } from "~/api/types";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Chip } from "~/ui/Chip";
import { Confirm } from "~/ui/Dialog";
import { inputDense } from "~/ui/Field";
import { IconButton } from "~/ui/IconButton";
import { Listing } from "~/ui/Listing";
import { part } from "~/ui/part";
import { Item, Section } from "~/ui/Section";
import { Empty, NothingMatches } from "~/ui/states";
import { toast } from "~/ui/toast";
import { quickReplies, search, useRemove } from "./queries";

const ReplyDialog = part(() => import("./ReplyDialog"));

/** Everybody's quick replies and one's own: what they say, how often they are used. */
export function QuickReplies() {
  const session = useSession();
  const query = useQuery({ ...quickReplies, staleTime: 0 });
  const [words, setWords] = useState("");
  const [editing, edit] = useState<QuickReply | "new">();
  const [ending, end] = useState<QuickReply>();
  const remove = useRemove();
  const agent = may(session, "agent");
  const manager = may(session, "manager");
  const mine = (one: QuickReply) => (one.scope === "all" ? manager : agent);
  const shown = words.trim() ? query.data && search(query.data, words) : query.data;
  const add = agent && (
    <Button
      look="filled"
      size="dense"
      icon={<Plus size={16} aria-hidden />}
      onClick={() => edit("new")}
      data-testid="reply-new"
    >
      {t("quick.add")}
    </Button>
  );
  return (
    <>
      <Section flush title={t("settings.quickReplies")} text={t("quick.text1")} aside={add}>
        {(query.data?.length ?? 0) > 8 && (
          <div className="border-t border-border px-4 py-2.5 phone:px-5">
            <input
              type="search"
              value={words}
              onChange={(event) => setWords(event.target.value)}
              aria-label={t("quick.search")}
              placeholder={t("quick.search")}
              className={`${inputDense} w-full phone:w-72`}
            />
          </div>
        )}
        <Listing
          query={query}
          items={shown}
          failed={t("quick.failed")}
          end={words.trim() ? undefined : (n) => t("quick.end", { n })}
          empty={
            words.trim() ? (
              <NothingMatches title={t("quick.none", { words })} onClear={() => setWords("")} />
            ) : (
              <Empty title={t("quick.empty")} text={t("quick.emptyText")} action={add} />
            )
          }
        >
          {(all, tail) => (
            <>
              <ul>
                {all.map((one) => (
                  <Item key={one.id}>
                    <MessageSquareQuote size={18} className="text-muted max-phone:hidden" aria-hidden />
                    <span className="min-w-0 flex-1 basis-56" data-testid="reply-row">
                      <span className="flex items-center gap-2">
                        <bdi className="truncate font-medium">{one.title}</bdi>
                        <bdi className="code shrink-0 text-12 text-link">/{one.shortcut}</bdi>
                        {one.media && <Paperclip size={14} className="shrink-0 text-muted" aria-hidden />}
                      </span>
                      <span dir="auto" className="block truncate text-12 text-muted at-start">
                        {one.body || one.media?.name}
                      </span>
                    </span>
                    <span className="text-12 text-muted tabular-nums">{t("quick.uses", { n: one.uses })}</span>
                    <Chip look={one.scope === "all" ? "plain" : "label"} small>
                      {t(one.scope === "all" ? "quick.all" : "quick.me")}
                    </Chip>
                    {mine(one) && (
                      <span className="flex">
                        <IconButton
                          label={t("quick.editNamed", { name: one.title })}
                          icon={<Pencil size={16} aria-hidden />}
                          onClick={() => edit(one)}
                        />
                        <IconButton
                          label={t("quick.deleteNamed", { name: one.title })}
                          icon={<Trash2 size={16} aria-hidden />}
                          onClick={() => end(one)}
                        />
                      </span>
                    )}
                  </Item>
                ))}
              </ul>
              {tail}
            </>
          )}
        </Listing>
      </Section>
      {editing && <ReplyDialog reply={editing === "new" ? undefined : editing} onClose={() => edit(undefined)} />}
      <Confirm
        open={!!ending}
        onClose={() => end(undefined)}
        title={t("quick.deleteTitle", { name: ending?.title ?? "" })}
        text={t(ending?.scope === "all" ? "quick.deleteAll" : "quick.deleteMine")}
        keep={t("dialog.cancel")}
        act={t("quick.delete")}
        busy={remove.isPending && t("form.working")}
        onAct={() =>
          ending &&
          remove.mutate(ending.id, {
            onError: (error) => toast.error(describe(error).detail),
            onSettled: () => end(undefined),
          })
        }
      />
    </>
  );
}
