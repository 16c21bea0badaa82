import { ChevronsUpDown } from "lucide-react";
import { api, take } from "~/api/client";
import { describe } from "~/api/problem";
import { markFresh } from "~/api/refresh";
import type { Session } from "~/api/types";
import { t } from "~/i18n/t";
import { initials } from "~/ui/Avatar";
import { cn } from "~/ui/cn";
import { Menu, MenuChoice, MenuLabel } from "~/ui/Menu";
import { toast } from "~/ui/toast";

/** Goes to another workspace of the same person. The page loads anew: nothing of the one before may show through. */
async function switchTo(tenantId: string): Promise<void> {
  try {
    await take(api.POST("/api/me/tenant", { body: { tenantId } }));
    markFresh();
    location.assign("/chat");
  } catch (error) {
    toast.error(describe(error).detail);
  }
}

/** The workspace, and the way to another of the same person. */
export function Workspaces({ session, tight }: { session: Session; tight: boolean }) {
  const several = session.tenants.length > 1;
  const badge = (
    <span
      className="grid size-5.5 shrink-0 place-items-center rounded-[6px] bg-rail-text text-11 font-strong text-rail before:content-[attr(data-initials)]"
      aria-hidden="true"
      data-initials={initials(session.tenant.name) || "#"}
    />
  );
  const look = cn(
    "flex h-10 items-center gap-2 rounded-control bg-rail-hover text-13 font-medium text-rail-strong",
    tight ? "w-10 justify-center" : "w-full px-2",
  );
  if (!several)
    return (
      <div className={look} title={session.tenant.name}>
        {badge}
        {tight ? (
          <span className="sr-only">{session.tenant.name}</span>
        ) : (
          <span dir="auto" className="min-w-0 flex-1 truncate at-start">
            {session.tenant.name}
          </span>
        )}
      </div>
    );
  return (
    <Menu
      align="start"
      label={t("workspace.switch")}
      trigger={
        <button
          type="button"
          className={cn(look, "press hover:bg-rail-active")}
          aria-label={t("workspace.current", { name: session.tenant.name })}
          data-testid="workspaces"
        >
          {badge}
          {!tight && (
            <>
              <span dir="auto" className="min-w-0 flex-1 truncate at-start">
                {session.tenant.name}
              </span>
              <ChevronsUpDown size={16} aria-hidden />
            </>
          )}
        </button>
      }
    >
      <MenuLabel>{t("workspace.switch")}</MenuLabel>
      {session.tenants.map((one) => (
        <MenuChoice
          key={one.id}
          chosen={one.id === session.tenant.id}
          onSelect={() => one.id !== session.tenant.id && void switchTo(one.id)}
        >
          {one.name}
        </MenuChoice>
      ))}
    </Menu>
  );
}
