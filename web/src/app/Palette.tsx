import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import {
  Check,
  Inbox,
  Keyboard,
  Lock,
  Moon,
  RotateCcw,
  Search,
  Settings,
  Smartphone,
  Sun,
  Tag,
  User,
  Users,
} from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, useDeferredValue, useId, useMemo, useState } from "react";
import { useMatch, useNavigate } from "react-router";
import { useSession } from "~/api/session";
import { may } from "~/api/types";
import { useChange } from "~/features/conversations/acts";
import { known } from "~/features/conversations/cache";
import { search } from "~/features/conversations/Search";
import { shownViews } from "~/features/conversations/Views";
import { nameOf } from "~/i18n/name";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { showShortcuts } from "./overlays";
import { theme } from "./theme";
import { useOpenTalk } from "./useOpenTalk";

interface Command {
  id: string;
  name: string;
  hint?: string | undefined;
  keys?: string;
  icon: ReactNode;
  act: () => void;
}

/** Everything by name: what can be done here first, then places, then people. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const session = useSession();
  const navigate = useNavigate();
  const change = useChange();
  const { open } = useOpenTalk();
  const id = useMatch("/chat/:id")?.params.id;
  const listId = useId();
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const typed = words.trim();
  const term = useDeferredValue(typed);
  const found = useInfiniteQuery({ ...search(term), enabled: term.length > 1 });

  const commands = useMemo<Command[]>(() => {
    const made: Command[] = [];
    const talk = id ? known(client, id) : undefined;
    if (talk && may(session, "agent")) {
      const closed = talk.state === "closed";
      const name = nameOf(talk.contact);
      made.push({
        id: "resolve",
        name: t(closed ? "palette.reopen" : "palette.resolve", { name }),
        keys: "E",
        icon: closed ? <RotateCcw size={16} aria-hidden /> : <Check size={16} aria-hidden />,
        act: () => change.mutate({ id: talk.id, change: { state: closed ? "open" : "closed" } }),
      });
      if (talk.assignee?.id !== session.user.id)
        made.push({
          id: "mine",
          name: t("palette.mine", { name }),
          keys: "I",
          icon: <User size={16} aria-hidden />,
          act: () =>
            change.mutate({ id: talk.id, change: { assignee: { id: session.user.id, name: session.user.name } } }),
        });
    }
    if (talk && may(session, "agent")) {
      const name = nameOf(talk.contact);
      const press = (button: string) => () =>
        setTimeout(() => document.querySelector<HTMLElement>(`[data-testid="${button}"]`)?.click());
      made.push(
        {
          id: "labels",
          name: t("palette.labels", { name }),
          keys: "L",
          icon: <Tag size={16} aria-hidden />,
          act: press("label"),
        },
        {
          id: "note",
          name: t("palette.note", { name }),
          keys: "N",
          icon: <Lock size={16} aria-hidden />,
          act: press("tab-note"),
        },
      );
    }
    const go = (to: string) => () => navigate(to);
    for (const { view, name, icon: Icon } of shownViews)
      made.push({
        id: `view-${view}`,
        name: t("palette.view", { name: t(name) }),
        icon: <Icon size={16} aria-hidden />,
        act: go(view === "all" ? "/chat" : `/chat?view=${view}`),
      });
    made.push(
      { id: "inbox", name: t("place.inbox"), keys: "G C", icon: <Inbox size={16} aria-hidden />, act: go("/chat") },
      {
        id: "contacts",
        name: t("place.contacts"),
        keys: "G T",
        icon: <Users size={16} aria-hidden />,
        act: go("/contacts"),
      },
      {
        id: "numbers",
        name: t("place.numbers"),
        keys: "G N",
        icon: <Smartphone size={16} aria-hidden />,
        act: go("/instances"),
      },
      {
        id: "settings",
        name: t("place.settings"),
        keys: "G S",
        icon: <Settings size={16} aria-hidden />,
        act: go("/settings"),
      },
      { id: "light", name: t("palette.light"), icon: <Sun size={16} aria-hidden />, act: () => theme.set("light") },
      { id: "dark", name: t("palette.dark"), icon: <Moon size={16} aria-hidden />, act: () => theme.set("dark") },
      {
        id: "shortcuts",
        name: t("shortcuts.title"),
        keys: "?",
        icon: <Keyboard size={16} aria-hidden />,
        act: () => setTimeout(showShortcuts),
      },
    );
    return made;
  }, [change, client, id, navigate, session]);

  const shown = useMemo(() => {
    // Enter acts on what was typed, however fast: what was found for shorter words is not for these.
    const low = typed.toLowerCase();
    const named = commands.filter((one) => one.name.toLowerCase().includes(low));
    const hits = typed.length > 1 && term === typed ? (found.data?.pages[0]?.items ?? []) : [];
    const people = hits.slice(0, 8).map<Command>((hit) => ({
      id: hit.message?.id ?? hit.contact.id,
      name: nameOf(hit.contact),
      hint: hit.kind === "message" ? hit.snippet : (hit.contact.phone ?? undefined),
      icon: <Search size={16} aria-hidden />,
      act: () =>
        hit.conversationId
          ? navigate(`/chat/${hit.conversationId}${hit.message ? `#${hit.message.id}` : ""}`)
          : open({ contactId: hit.contact.id }),
    }));
    return [...named, ...people];
  }, [commands, typed, term, found.data, navigate, open]);

  const run = (one: Command | undefined) => {
    if (!one) return;
    onClose();
    one.act();
  };
  const current = Math.min(at, Math.max(0, shown.length - 1));

  return (
    <Dialog.Root open onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="appear fixed inset-0 z-40 bg-scrim" />
        <Dialog.Content
          aria-describedby={undefined}
          data-testid="palette"
          className="appear fixed inset-x-4 top-[12vh] z-40 mx-auto flex max-h-[64vh] max-w-140 flex-col overflow-hidden rounded-dialog border border-border bg-raised shadow-dialog"
        >
          <Dialog.Title className="sr-only">{t("palette.title")}</Dialog.Title>
          <input
            autoFocus
            role="combobox"
            aria-expanded
            aria-controls={listId}
            aria-activedescendant={shown[current] ? `${listId}-${current}` : undefined}
            aria-label={t("palette.title")}
            placeholder={t("palette.placeholder")}
            value={words}
            onChange={(event) => {
              setWords(event.target.value);
              setAt(0);
            }}
            onKeyDown={(event) => {
              const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
              if (step) {
                event.preventDefault();
                const next = (current + step + shown.length) % Math.max(1, shown.length);
                setAt(next);
                document.getElementById(`${listId}-${next}`)?.scrollIntoView({ block: "nearest" });
              }
              if (event.key === "Enter" && !event.nativeEvent.isComposing) {
                event.preventDefault();
                run(shown[current]);
              }
            }}
            className="h-13 shrink-0 border-b border-border bg-transparent px-5 text-16 outline-none placeholder:text-muted"
          />
          <div id={listId} role="listbox" aria-label={t("palette.title")} className="min-h-0 overflow-y-auto p-1.5">
            {shown.map((one, index) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
              <div
                key={one.id}
                id={`${listId}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={index === current}
                onClick={() => run(one)}
                onPointerMove={() => setAt(index)}
                className={cn(
                  "flex min-h-10 cursor-default items-center gap-3 rounded-control px-3 text-13",
                  index === current && "bg-selected",
                )}
              >
                <span className="text-muted">{one.icon}</span>
                <span className="shrink-0">{one.name}</span>
                <span className="min-w-0 flex-1 truncate text-12 text-muted">{one.hint}</span>
                {one.keys && <kbd className="font-sans text-12 text-muted">{one.keys}</kbd>}
              </div>
            ))}
            {shown.length === 0 && (
              <p className="px-3 py-6 text-center text-13 text-muted">{t("palette.nothing", { words })}</p>
            )}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
