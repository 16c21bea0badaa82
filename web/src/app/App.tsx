import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Suspense } from "react";
import { RouterProvider } from "react-router";
import { TipProvider } from "~/ui/Tip";
import type { makeRouter } from "./router";
import { Toasts } from "./Toasts";
import { useTheme } from "./theme";

export function App({ client, router }: { client: QueryClient; router: ReturnType<typeof makeRouter> }) {
  useTheme();
  return (
    <QueryClientProvider client={client}>
      <TipProvider delayDuration={400}>
        <Suspense>
          <RouterProvider router={router} />
        </Suspense>
        <Toasts />
      </TipProvider>
    </QueryClientProvider>
  );
}
