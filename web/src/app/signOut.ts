import { api } from "~/api/client";

/** Ends the session here. The page loads anew, so that nothing of it stays in memory. */
export async function signOut(): Promise<void> {
  await api.POST("/api/auth/sign-out").catch(() => undefined);
  location.assign("/sign-in");
}
