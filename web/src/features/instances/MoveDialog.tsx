import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, once, take } from "~/api/client";
import { keys } from "~/api/keys";
import { describe } from "~/api/problem";
import type { Gateway, Instance } from "~/api/types";
import { type PlainKey, t } from "~/i18n/t";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { SelectField } from "~/ui/Field";
import { FormProblem } from "~/ui/FormProblem";
import { put } from "./acts";

/** What tells a gateway from the others: what it runs, how full it is, where it stands, and whether it answers. */
function told(of: Gateway): string {
  return [
    t(`gateway.kind.${of.kind}` as PlainKey),
    t("gateways.load", { n: of.instances, of: of.capacity }),
    of.region,
    of.health.state === "down" || of.health.state === "locked" ? t(`gateways.health.${of.health.state}`) : undefined,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Puts a number on another gateway, where it is linked anew. */
export function MoveDialog({
  of,
  to,
  onClose,
  onMoved,
}: {
  of: Instance;
  to: Gateway[];
  onClose: () => void;
  /** It waits for its phone there. */
  onMoved: () => void;
}) {
  const client = useQueryClient();
  const { id, name, gateway } = of;
  const [chosen, choose] = useState("");
  // One that has filled up meanwhile is no choice any more.
  const there = to.find((one) => one.id === chosen) ?? to[0];
  const gatewayId = there?.id ?? "";
  const move = useMutation({
    mutationFn: () =>
      take(api.POST("/api/instances/{id}/move", { params: { path: { id } }, headers: once(), body: { gatewayId } })),
    onSuccess: (after) => {
      put(client, after);
      onClose();
      onMoved();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.gateways }),
  });
  return (
    <Dialog open onClose={onClose} title={t("move.title", { name })} text={t("move.text")} testId="move-dialog">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          move.mutate();
        }}
      >
        <SelectField
          label={t("move.to")}
          hint={
            <>
              {there && <span className="block">{told(there)}</span>}
              {gateway && t("move.from", { name: gateway.name })}
            </>
          }
          value={gatewayId}
          onChange={(event) => choose(event.target.value)}
        >
          {to.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </SelectField>
        <FormProblem text={move.isError ? describe(move.error).detail : undefined} />
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t("dialog.cancel")}</Button>
          <Button type="submit" look="filled" disabled={!gatewayId} busy={move.isPending && t("move.busy")}>
            {t("move.go")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
