import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Direction } from "radix-ui";
import { Suspense } from "react";
import { RouterProvider } from "react-router";
import { language } from "~/i18n/language";
import { TipProvider } from "~/ui/Tip";
import type { makeRouter } from "./router";
import { Toasts } from "./Toasts";
import { useTheme } from "./theme";

export function App({ client, router }: { client: QueryClient; router: ReturnType<typeof makeRouter> }) {
  useTheme();
  return (
    <QueryClientProvider client={client}>
      <Direction.Provider dir={language.rtl ? "rtl" : "ltr"}>
        <TipProvider delayDuration={400}>
          <Suspense>
            <RouterProvider router={router} />
          </Suspense>
          <Toasts />
        </TipProvider>
      </Direction.Provider>
    </QueryClientProvider>
  );
}
