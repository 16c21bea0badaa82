import { Component, type ComponentType, lazy, type ReactNode, Suspense } from "react";
import { t } from "~/i18n/t";
import { toast } from "./toast";

class Guard extends Component<{ onBreak: (error: unknown) => void; children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError = () => ({ broken: true });

  override componentDidCatch(error: unknown) {
    this.props.onBreak(error);
  }

  override render() {
    return this.state.broken ? null : this.props.children;
  }
}

interface Around {
  /** Stands there until the part is here. */
  fallback?: ReactNode;
  /** The part will not come, or broke: what opened it closes it. Without it `onClose` is called. */
  onBreak?: (() => void) | undefined;
}

/**
 * A part of a page that is fetched when it is first needed. If it does not come the page stays as it is: a toast says so,
 * the part closes, and it is fetched anew the next time. `silent`: it says nothing.
 */
export function part<P extends object>(load: () => Promise<{ default: ComponentType<P> }>, silent?: "silent") {
  let Fetched = lazy(load);
  return function Part({ fallback, onBreak, ...rest }: P & Around) {
    const props = rest as unknown as P & { onClose?: () => void };
    const breaks = () => {
      // What React fetched once and did not get, it never asks for again.
      Fetched = lazy(load);
      if (!silent) toast.error(t("toast.notDone", { why: t(navigator.onLine ? "error.text" : "problem.unreachable") }));
      (onBreak ?? props.onClose)?.();
    };
    return (
      <Guard onBreak={breaks}>
        <Suspense fallback={fallback}>
          <Fetched {...props} />
        </Suspense>
      </Guard>
    );
  };
}
