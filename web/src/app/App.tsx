import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Direction } from "radix-ui";
import { lazy, Suspense } from "react";
import { language } from "~/i18n/language";
import { Tips } from "~/ui/Tip";
import { useToasted } from "~/ui/toast";
import { Pages, type Router } from "./router";
import { useTheme } from "./theme";

const Toasts = lazy(() => import("./Toasts"));

export function App({ client, router }: { client: QueryClient; router: Router }) {
  useTheme();
  const toasted = useToasted();
  return (
    <QueryClientProvider client={client}>
      <Direction.Provider dir={language.rtl ? "rtl" : "ltr"}>
        <Suspense>
          <Pages router={router} />
        </Suspense>
        <Suspense>{toasted && <Toasts />}</Suspense>
        <Tips />
      </Direction.Provider>
    </QueryClientProvider>
  );
}
