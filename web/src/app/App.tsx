import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Direction } from "radix-ui";
import { Suspense, useState } from "react";
import { language } from "~/i18n/language";
import { part } from "~/ui/part";
import { Tips } from "~/ui/Tip";
import { useToasted } from "~/ui/toast";
import { Pages, type Router } from "./router";
import { useTheme } from "./theme";

const Toasts = part(() => import("./Toasts"), "silent");

/** Where results are said, from the first of them on. If it does not come, the next one tries again. */
function Results() {
  const said = useToasted();
  const [lost, lose] = useState(0);
  return said > lost && <Toasts onBreak={() => lose(said)} />;
}

export function App({ client, router }: { client: QueryClient; router: Router }) {
  useTheme();
  return (
    <QueryClientProvider client={client}>
      <Direction.Provider dir={language.rtl ? "rtl" : "ltr"}>
        <Suspense>
          <Pages router={router} />
        </Suspense>
        <Results />
        <Tips />
      </Direction.Provider>
    </QueryClientProvider>
  );
}
