import { randomBytes } from "node:crypto";
import type { SessionRow } from "../ledger/session-row.ts";
import { digestOfParts } from "@soma/kit/digest";

/** Keys of the events that one action leads to, by its id. */
export const actionKeys = {
  decided: (actionId: string): string => `action/${actionId}/decided`,
  applied: (actionId: string): string => `action/${actionId}/applied`,
  refused: (actionId: string): string => `action/${actionId}/refused`,
};

/** With an idempotency key the same for the same key in the same session; else new. */
export function actionIdOf(row: Pick<SessionRow, "tenant" | "session_id">, idempotencyKey: string | undefined): string {
  const hex =
    idempotencyKey === undefined
      ? randomBytes(16).toString("hex")
      : digestOfParts(row.tenant, row.session_id, idempotencyKey).slice(7, 39);
  return `act_${hex}`;
}
