import { Ban, Check, CirclePause, LoaderCircle, PlugZap, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { describe, Problem } from "~/api/problem";
import type { Instance } from "~/api/types";
import { type PlainKey, t } from "~/i18n/t";
import { Chip, type ChipLook } from "~/ui/Chip";

const shown: Record<Instance["state"], { look: ChipLook; icon: ReactNode }> = {
  new: { look: "plain", icon: <PlugZap aria-hidden /> },
  linking: { look: "primary", icon: <LoaderCircle aria-hidden /> },
  connected: { look: "good", icon: <Check aria-hidden /> },
  attention: { look: "warning", icon: <TriangleAlert aria-hidden /> },
  paused: { look: "plain", icon: <CirclePause aria-hidden /> },
  disconnected: { look: "warning", icon: <TriangleAlert aria-hidden /> },
  banned: { look: "bad", icon: <Ban aria-hidden /> },
};

/** The state of a number, as a chip. */
export function StateChip({ of }: { of: Instance }) {
  const { look, icon } = shown[of.state];
  return (
    <span data-testid="number-state" data-state={of.state} className="inline-flex">
      <Chip look={look} icon={icon}>
        {of.state === "linking" && of.linkStep
          ? t(`link.${of.linkStep}.chip` as PlainKey)
          : t(`number.state.${of.state}` as PlainKey)}
      </Chip>
    </span>
  );
}

/** Why a number does not work, and what to do, in a sentence; nothing when all is well. */
export function reasonOf({ trouble, stateReason }: Instance): string | undefined {
  // Here the gateway says why itself; for all others we have words in every language.
  if (!trouble || trouble === "refused") return stateReason ?? (trouble ? t("trouble.refused") : undefined);
  return t(`trouble.${trouble}`);
}

/** Whether it is its gateway that is to be seen to: linking the phone anew would mend nothing. */
export const isCutOff = ({ trouble }: Instance): boolean =>
  trouble === "gatewayDown" || trouble === "gatewayLocked" || trouble === "key";

// What a gateway makes us answer, in words that fit a number.
const refusals: Record<string, PlainKey> = {
  unavailable: "trouble.gatewayDown",
  "gateway-denied": "trouble.key",
  "gateway-locked": "trouble.gatewayLocked",
};
const refused = (error: unknown): PlainKey | undefined => (error instanceof Problem ? refusals[error.slug] : undefined);

/** Why a number could not be asked: in our words where they are more exact than the server's. */
export function refusalOf(error: unknown): string {
  const known = refused(error);
  return known ? t(known) : describe(error).detail;
}

/** Whether it is something to see to at the gateway. */
export const isOfGateway = (error: unknown): boolean => refused(error) !== undefined;

/** Where a number lives, in the user's words. */
export function providerName(of: Instance): string {
  if (of.provider === "cloud") return t("provider.cloud");
  if (of.gateway?.owner === "operator") return t("provider.operator");
  if (of.provider === "evolution") return t("provider.evolution");
  return of.provider === "waha" ? t("provider.waha") : of.provider;
}

/** Whether it is a device that is linked to a phone; the Cloud API has no phone. */
export const isLinked = (of: Instance): boolean => of.provider !== "cloud";

/** Whether its gateway can pause it and keep the link. */
export const canPause = (of: Instance): boolean => of.provider === "waha";
