import { fileURLToPath } from "node:url";

// A browser asks for six files at a time, and each takes the way there and back: a slow network wants few files. What is needed at first sight
// goes into a few; everything else comes with the page or the part that wants it.

interface Graph {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null;
}

const page = (name: string): string => fileURLToPath(new URL(`../src/app/${name}.tsx`, import.meta.url));
const main = fileURLToPath(new URL("../src/main.tsx", import.meta.url));

function reach(graph: Graph, ...from: string[]): Set<string> {
  const found = new Set<string>();
  const add = (id: string) => {
    if (found.has(id)) return;
    found.add(id);
    for (const one of graph.getModuleInfo(id)?.importedIds ?? []) add(one);
  };
  from.forEach(add);
  return found;
}

// These come through an index that names all they have, so what a page needs of them does not show in what it imports.
const OVERLAYS =
  /node_modules\/(@floating-ui|aria-hidden|react-remove-scroll|react-style-singleton|use-callback-ref|use-sidecar|@radix-ui\/(?!react-(slot|compose-refs|direction)\/))/;

let sets: { app: Set<string>; inbox: Set<string>; others: Set<string> } | undefined;

/** The file that a module belongs to: `app` (every page), `parts` (the inbox and other pages), `inbox`, `overlays` (menus, dialogs); none: its own. */
export function chunkOf(id: string, graph: Graph): string | null {
  sets ??= {
    app: reach(graph, main),
    inbox: reach(graph, page("inbox/InboxPage")),
    others: reach(graph, page("AuthPage"), page("ContactsPage"), page("NumbersPage"), page("SettingsPage")),
  };
  if (OVERLAYS.test(id)) return "overlays";
  if (sets.app.has(id)) return id === main ? null : "app";
  if (!sets.inbox.has(id)) return null;
  return sets.others.has(id) ? "parts" : "inbox";
}
