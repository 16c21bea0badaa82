import { Component, type ReactNode, useEffect } from "react";
import { Link } from "react-router";
import { t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Empty } from "~/ui/states";

/** A page that broke: said plainly, with the way out. A part that is gone after an upgrade is fetched by loading anew. */
function ErrorPage({ error }: { error: unknown }) {
  const outdated = error instanceof TypeError && /import|module/i.test(error.message);
  useEffect(() => {
    if (!outdated) return;
    // Without a network there is nothing to load.
    const anew = () => location.reload();
    if (!navigator.onLine) {
      addEventListener("online", anew);
      return () => removeEventListener("online", anew);
    }
    try {
      if (sessionStorage.getItem("indaba.reloaded")) return;
      sessionStorage.setItem("indaba.reloaded", "1");
      anew();
    } catch {
      // Without storage it could go round for ever: the button does it.
    }
  }, [outdated]);
  return (
    <div className="grid h-full place-items-center" role="alert">
      <Empty
        title={t("error.title")}
        text={t(!outdated ? "error.text" : navigator.onLine ? "error.outdated" : "problem.unreachable")}
        action={
          <Button look="filled" onClick={() => location.reload()}>
            {t("error.reload")}
          </Button>
        }
      />
    </div>
  );
}

/** Stands around the pages: one that breaks is replaced until the person goes elsewhere. */
export class Broken extends Component<{ at: object; children: ReactNode }, { error?: unknown; at?: object }> {
  override state: { error?: unknown; at?: object } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps({ at }: { at: object }, before: { at?: object }) {
    return before.at === at ? null : { at, error: undefined };
  }

  override render() {
    return this.state.error === undefined ? this.props.children : <ErrorPage error={this.state.error} />;
  }
}

export function MissingPage() {
  return (
    <div className="grid h-full place-items-center">
      <Empty
        title={t("error.missing")}
        text={t("error.missingText")}
        action={
          <Button asChild>
            <Link to="/chat">{t("error.toInbox")}</Link>
          </Button>
        }
      />
    </div>
  );
}
