import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { counts } from "~/features/conversations/queries";
import { t } from "~/i18n/t";

/** The tab's title: what is open, and in front of it how much is unread; its icon has a dot then. */
export function useTitle(page: string): void {
  const unread = useQuery(counts).data?.unread ?? 0;
  useEffect(() => {
    document
      .querySelector('link[rel="icon"]')
      ?.setAttribute("href", unread > 0 ? "/favicon-unread.svg" : "/favicon.svg");
    document.title = unread > 0 ? t("title.unread", { n: unread, page }) : t("title.page", { page });
  }, [page, unread]);
}
