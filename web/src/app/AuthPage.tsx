import { useEffect } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";
import { AuthLayout } from "~/features/users/AuthLayout";
import { SignIn } from "~/features/users/SignIn";
import { SignUp } from "~/features/users/SignUp";
import { t } from "~/i18n/t";
import { type Theme, theme } from "./theme";

const round: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

/** Only paths of our own: a link must not send a fresh session elsewhere. */
export const safeNext = (next: string | null): string =>
  next && /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-") ? next : "/chat";

/** The door: sign in or sign up. */
export default function AuthPage({ kind }: { kind: "in" | "up" }) {
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const { state } = useLocation();
  const chosen = theme.use();
  const done = () => navigate(safeNext(search.get("next")), { replace: true });
  const suffix = search.size ? `?${search}` : "";
  useEffect(() => {
    document.title = t("title.page", { page: t(kind === "in" ? "signIn.title" : "signUp.title") });
  }, [kind]);
  return (
    <AuthLayout theme={{ value: chosen, next: () => theme.set(round[chosen]) }}>
      {kind === "in" ? (
        <SignIn onDone={done} signUp={`/sign-up${suffix}`} ended={!!state?.ended} />
      ) : (
        <SignUp invitation={search.get("invitation")} signIn={`/sign-in${suffix}`} onDone={done} />
      )}
    </AuthLayout>
  );
}
