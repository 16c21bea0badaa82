import { Link } from "react-router";
import { useSession } from "~/api/session";
import { may } from "~/api/types";
import { t } from "~/i18n/t";
import { cn } from "~/ui/cn";

/** The way to the gateways, for those who may see them. */
export function ToGateways({ className }: { className?: string }) {
  const session = useSession();
  if (!may(session, "admin")) return null;
  return (
    <Link to="/settings/gateways" className={cn("inline-block text-13 font-medium text-link underline", className)}>
      {t("number.toGateways")}
    </Link>
  );
}
