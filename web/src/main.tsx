import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { makeClient } from "./api/cache";
import { me } from "./api/session";
import { App } from "./app/App";
import { makeRouter } from "./app/router";
import { readFilter } from "./features/conversations/filter";
import { conversations, counts } from "./features/conversations/queries";
import { openLanguage } from "./i18n/t";
import "./app/app.css";

const client = makeClient();
const door = /^\/sign-(in|up)/.test(location.pathname);
// Asked before anything is drawn: every page behind the door waits for who this is, and the inbox for what it lists.
if (!door) void client.prefetchQuery(me);
if (/^\/chat(\/|$)/.test(location.pathname)) {
  void client.prefetchInfiniteQuery(conversations(readFilter(new URLSearchParams(location.search))));
  void client.prefetchQuery(counts);
}

// The texts of another language than English are a file of their own; the first paint waits for it.
await openLanguage();

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <App client={client} router={makeRouter()} />
    </StrictMode>,
  );
