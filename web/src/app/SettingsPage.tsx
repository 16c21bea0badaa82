import {
  Bell,
  Building2,
  ChevronRight,
  Cpu,
  KeyRound,
  MessageSquareQuote,
  MonitorSmartphone,
  ScrollText,
  Server,
  SlidersHorizontal,
  Tag,
  User,
  Users,
} from "lucide-react";
import type { ComponentType } from "react";
import { Link, Navigate, useParams } from "react-router";
import { useSession } from "~/api/session";
import { may, type Role } from "~/api/types";
import { Audit } from "~/features/audit/Audit";
import { Labels } from "~/features/conversations/Labels";
import { Preferences } from "~/features/conversations/Preferences";
import { Gateways } from "~/features/instances/Gateways";
import { Jobs } from "~/features/jobs/Jobs";
import { QuickReplies } from "~/features/quick_replies/QuickReplies";
import { Workspace } from "~/features/tenants/Workspace";
import { ApiKeys } from "~/features/users/ApiKeys";
import { Notifications } from "~/features/users/Notifications";
import { Profile } from "~/features/users/Profile";
import { SignIns } from "~/features/users/SignIns";
import { Team } from "~/features/users/Team";
import { type PlainKey, t } from "~/i18n/t";
import { cn } from "~/ui/cn";
import { NotAllowed } from "~/ui/states";
import { useNarrow } from "~/ui/useNarrow";
import { PageHead } from "./PageHead";
import { useTitle } from "./title";

interface Part {
  path: string;
  name: PlainKey;
  icon: ComponentType<{ size?: number; "aria-hidden"?: boolean; className?: string }>;
  role: Role;
  page: ComponentType;
}

const parts: Part[] = [
  { path: "profile", name: "settings.profile", icon: User, role: "viewer", page: Profile },
  { path: "sign-ins", name: "settings.signIns", icon: MonitorSmartphone, role: "viewer", page: SignIns },
  { path: "preferences", name: "settings.preferences", icon: SlidersHorizontal, role: "viewer", page: Preferences },
  { path: "notifications", name: "settings.notifications", icon: Bell, role: "viewer", page: Notifications },
  {
    path: "quick-replies",
    name: "settings.quickReplies",
    icon: MessageSquareQuote,
    role: "viewer",
    page: QuickReplies,
  },
  { path: "workspace", name: "settings.workspace", icon: Building2, role: "viewer", page: Workspace },
  { path: "team", name: "settings.team", icon: Users, role: "viewer", page: Team },
  { path: "labels", name: "settings.labels", icon: Tag, role: "viewer", page: Labels },
  { path: "gateways", name: "settings.gateways", icon: Server, role: "admin", page: Gateways },
  { path: "api-keys", name: "settings.apiKeys", icon: KeyRound, role: "admin", page: ApiKeys },
  { path: "audit", name: "settings.audit", icon: ScrollText, role: "admin", page: Audit },
  { path: "jobs", name: "settings.jobs", icon: Cpu, role: "admin", page: Jobs },
];

/** Settings: a list of parts and the one that is open; on a phone first the list, then the part. */
export default function SettingsPage() {
  const { part } = useParams();
  const session = useSession();
  const phone = useNarrow();
  const open = parts.find((one) => one.path === part);
  useTitle(open ? t(open.name) : t("place.settings"));
  if (!part && !phone) return <Navigate to="/settings/profile" replace />;
  if (part && !open) return <Navigate to="/settings" replace />;

  const nav = (
    <nav
      aria-label={t("place.settings")}
      className={cn("shrink-0 overflow-y-auto bg-surface p-2 py-3", phone ? "flex-1" : "w-52 border-e border-border")}
    >
      <ul className="flex flex-col gap-0.5">
        {parts
          .filter((one) => may(session, one.role))
          .map(({ path, name, icon: Icon }) => (
            <li key={path}>
              <Link
                to={`/settings/${path}`}
                aria-current={path === part ? "page" : undefined}
                className={cn(
                  "press flex items-center gap-2.5 rounded-control px-2.5 py-1.5 text-13 leading-4",
                  phone ? "min-h-12 text-14" : "min-h-9",
                  path === part ? "bg-selected font-strong text-link" : "hover:bg-hover",
                )}
              >
                <Icon size={18} aria-hidden className={cn("shrink-0", path !== part && "text-muted")} />
                <span className="min-w-0">{t(name)}</span>
              </Link>
            </li>
          ))}
      </ul>
    </nav>
  );
  const Page = open?.page;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <PageHead
        title={t(open ? open.name : "place.settings")}
        crumb={
          open && (
            <>
              <span className="font-medium text-muted">{t("place.settings")}</span>
              <ChevronRight size={16} aria-hidden className="text-muted rtl:-scale-x-100" />
            </>
          )
        }
        back={open && { to: "/settings", name: t("settings.back") }}
      />
      <div className="flex min-h-0 flex-1">
        {(!phone || !open) && nav}
        {Page && open && (
          <div className="min-h-0 min-w-0 flex-1 overflow-y-auto p-4 phone:p-6">
            <div className="max-w-190">
              {may(session, open.role) ? (
                <Page key={open.path} />
              ) : (
                <NotAllowed
                  title={t("settings.notAllowed", { page: t(open.name) })}
                  text={t("settings.notAllowedText")}
                />
              )}
            </div>
          </div>
        )}
      </div>
    </div>
  );
}
