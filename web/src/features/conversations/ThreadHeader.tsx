import { useQuery } from "@tanstack/react-query";
import {
  ArrowLeft,
  Check,
  ChevronDown,
  Ellipsis,
  PanelRight,
  RotateCcw,
  Tag,
  User,
  UserMinus,
  Volume2,
} from "lucide-react";
import { Link } from "react-router";
import { people } from "~/api/people";
import { useSession } from "~/api/session";
import { type Conversation, may, type User as Person } from "~/api/types";
import { phone } from "~/i18n/format";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { Avatar } from "~/ui/Avatar";
import { Button } from "~/ui/Button";
import { cn } from "~/ui/cn";
import { IconButton } from "~/ui/IconButton";
import { Menu, MenuChoice, MenuItem, MenuSeparator } from "~/ui/Menu";
import { Presence, PresenceWord } from "~/ui/Presence";
import { Tip } from "~/ui/Tip";
import { useNarrow } from "~/ui/useNarrow";
import { useChange } from "./acts";
import { LabelChips } from "./LabelChip";
import { LabelMenu } from "./LabelMenu";
import { carried, useLabels } from "./labels";
import { aloud } from "./settings";
import { WindowTimer } from "./WindowTimer";

interface Props {
  conversation: Conversation;
  back: string;
  paneOpen: boolean;
  onPane: () => void;
  /** On which of our numbers, where there are several. */
  number?: string | undefined;
  /** Free text goes through for 24 hours after the customer's last word. */
  window24h: boolean;
}

/** Who may take a conversation: everyone who may answer. */
export const answers = (one: Person): boolean => one.role !== "viewer";

function Assign({ conversation, narrow }: { conversation: Conversation; narrow: boolean }) {
  const { user } = useSession();
  const change = useChange();
  const { data: all = [] } = useQuery(people);
  const { assignee, id } = conversation;
  const mine = assignee?.id === user.id;
  const give = (to: { id: string; name: string } | null) => change.mutate({ id, change: { assignee: to } });
  const label = assignee ? t("assign.to", { name: mine ? t("author.you") : assignee.name }) : t("assign.nobody");
  return (
    <Menu
      label={t("assign.title")}
      trigger={
        <Button
          size="dense"
          aria-label={label}
          data-testid="assign"
          className={cn(narrow && "border-transparent! bg-transparent! px-1.5!")}
        >
          {assignee ? (
            <Avatar id={assignee.id} name={assignee.name} size={20} />
          ) : (
            <User size={16} aria-hidden className="text-muted" />
          )}
          <span className="max-w-28 truncate max-views:hidden">
            {assignee ? (mine ? t("author.you") : assignee.name) : t("assign.short")}
          </span>
          {!narrow && <ChevronDown size={14} aria-hidden className="text-muted" />}
        </Button>
      }
    >
      {!mine && (
        <MenuItem icon={<User aria-hidden />} keys="I" onSelect={() => give({ id: user.id, name: user.name })}>
          {t("assign.me")}
        </MenuItem>
      )}
      {assignee && (
        <MenuItem icon={<UserMinus aria-hidden />} onSelect={() => give(null)}>
          {t("assign.clear")}
        </MenuItem>
      )}
      <MenuSeparator />
      {all.filter(answers).map((one) => (
        <MenuChoice
          key={one.id}
          chosen={one.id === assignee?.id}
          icon={
            <Presence of={one}>
              <Avatar id={one.id} name={one.name} size={20} />
            </Presence>
          }
          onSelect={() => give({ id: one.id, name: one.name })}
        >
          {one.name}{" "}
          <span className="ms-1 text-12 text-muted">
            <PresenceWord of={one} />
          </span>
        </MenuChoice>
      ))}
    </Menu>
  );
}

/** Over the thread: who it is, on which number, how long free text goes through there, whose it is, and the way to end it. */
export function ThreadHeader({ conversation, back, paneOpen, onPane, number, window24h }: Props) {
  const session = useSession();
  const change = useChange();
  const onePane = useNarrow();
  // Two panes on a small page, as at a zoom of 200 %: the name needs the room more than words on buttons do.
  const tight = useNarrow(880);
  const reads = aloud.use();
  const labels = carried(useLabels(), conversation.labels);
  const { contact, windowEndsAt, state, id } = conversation;
  const name = nameOf(contact);
  // On a phone it is the page; elsewhere a part of it.
  const Name = onePane ? "h1" : "h2";
  const agent = may(session, "agent");
  const closed = state === "closed";
  const timer = window24h && windowEndsAt && (
    <span className="flex">
      <WindowTimer endsAt={windowEndsAt} />
    </span>
  );
  // Where there is room for one of them only: the number, until the time runs out.
  const soon = !!windowEndsAt && Date.parse(windowEndsAt) - Date.now() < 2 * 60 * 60_000;
  const toggle = () => change.mutate({ id, change: { state: closed ? "open" : "closed" } });
  return (
    <header className="flex h-14 shrink-0 items-center gap-2.5 border-b border-border bg-surface ps-1 pe-2 phone:ps-4 phone:pe-3 max-two:gap-1.5 max-phone:h-15 max-phone:gap-2.5">
      {onePane && (
        <Link
          to={back}
          aria-label={t("thread.back")}
          className="grid size-11 shrink-0 place-items-center rounded-control text-muted"
        >
          <ArrowLeft size={20} aria-hidden className="rtl:-scale-x-100" />
        </Link>
      )}
      {(onePane || !tight) && (
        <button
          type="button"
          onClick={onPane}
          aria-label={t("thread.showContact")}
          className={cn("rounded-full", onePane && "-ms-2")}
        >
          <Avatar id={contact.id} name={contact.name ?? ""} size={onePane ? 40 : 32} />
        </button>
      )}
      <div className="min-w-0 flex-1">
        <div className="flex items-center gap-2">
          <Name
            dir="auto"
            className="max-w-full truncate text-15 font-strong max-phone:text-16 at-start"
            data-testid="thread-name"
          >
            {name}
          </Name>
          {!onePane && labels.length > 0 && (
            // What finds no room falls below the edge, whole; the contact beside it has all of them.
            <span className="flex h-4.5 min-w-0 flex-1 flex-wrap gap-1 overflow-hidden" data-testid="thread-labels">
              <LabelChips labels={labels} most={3} small />
            </span>
          )}
        </div>
        {/* What finds no room falls below the edge, whole, the last first. */}
        <div className="flex h-4 flex-wrap gap-x-1.5 overflow-hidden text-12 whitespace-nowrap text-muted tabular-nums *:not-first:before:me-1.5 *:not-first:before:text-muted *:not-first:before:content-['·']">
          {closed && <span className="font-medium text-success">{t("thread.resolved")}</span>}
          {soon && timer}
          {number && (
            <span className="min-w-0 max-w-max grow basis-24 truncate" data-testid="thread-number">
              <bdi>{number}</bdi>
            </span>
          )}
          {!soon && timer}
          {contact.phone && contact.name && <span>{phone(contact.phone)}</span>}
        </div>
      </div>
      {agent && !onePane && (
        <LabelMenu
          conversation={conversation}
          trigger={
            <IconButton label={t("label.change")} keys="L" icon={<Tag size={18} aria-hidden />} data-testid="label" />
          }
        />
      )}
      {agent && <Assign conversation={conversation} narrow={tight} />}
      <Menu
        label={t("thread.more")}
        trigger={<IconButton label={t("thread.more")} icon={<Ellipsis size={18} aria-hidden />} />}
      >
        <MenuItem icon={<PanelRight aria-hidden />} onSelect={onPane}>
          {t(paneOpen ? "thread.hideContact" : "thread.showContact")}
        </MenuItem>
        <MenuChoice chosen={reads} icon={<Volume2 aria-hidden />} onSelect={() => aloud.set(!reads)}>
          {t("thread.aloud")}
        </MenuChoice>
      </Menu>
      {agent &&
        (tight ? (
          <IconButton
            label={t(closed ? "thread.reopen" : "thread.resolve")}
            keys="E"
            icon={closed ? <RotateCcw size={20} aria-hidden /> : <Check size={20} aria-hidden />}
            onClick={toggle}
            data-testid="resolve"
          />
        ) : (
          <Tip text={t(closed ? "thread.reopen" : "thread.resolve")} keys="E" side="bottom">
            <Button
              size="dense"
              data-testid="resolve"
              onClick={toggle}
              icon={closed ? <RotateCcw size={16} aria-hidden /> : <Check size={16} aria-hidden />}
            >
              {t(closed ? "thread.reopen" : "thread.resolve")}
            </Button>
          </Tip>
        ))}
    </header>
  );
}
