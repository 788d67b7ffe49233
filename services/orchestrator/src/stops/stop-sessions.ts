import { isTerminal } from "@soma/contracts/session";
import { StopReport, type StopDoubt, type StopRequest } from "@soma/contracts/stop";
import { isTenantId } from "@soma/contracts/ids";
import { digestOf } from "@soma/kit/digest";
import type { Manager } from "../access/manager.ts";
import { sessionNotFound, tenantNotFound } from "../ledger/refusals.ts";
import { decideChange } from "../tenants/decide-change.ts";
import { findTenant } from "../tenants/find-tenant.ts";
import { actorOf } from "../tenants/tenant-actor.ts";
import { answerOnce } from "./answer-once.ts";
import { endSessions, type Reached } from "./end-sessions.ts";
import { recordOnce } from "./record-once.ts";
import { revokeTokens } from "./revoke-tokens.ts";
import type { StopDeps } from "./stop-deps.ts";
import { endsLogins, ledgerOf, readStopOrder, type StopOrder } from "./stop-order.ts";

/**
 * Stops what runs: each session in scope is asked to end, the tokens that it acts with are revoked, and the answer says
 * which have ended and of which that cannot be said. Recorded before anything is done, and after. It is no suspension:
 * what starts later runs.
 *
 * @throws DomainError FORBIDDEN, VALIDATION_FAILED, TENANT_NOT_FOUND, SESSION_NOT_FOUND, POLICY_DENIED, POLICY_UNAVAILABLE,
 * IDEMPOTENCY_KEY_REUSED, AUDIT_UNAVAILABLE
 */
export async function stopSessions(
  deps: StopDeps,
  manager: Manager,
  body: StopRequest,
  idempotencyKey: string | undefined,
): Promise<StopReport> {
  const order = readStopOrder(manager, body);
  const tenant = ledgerOf(order);
  if (!isTenantId(tenant)) throw tenantNotFound();
  await findTenant(deps.tenants, manager, tenant);
  const already = order.scope === "session" ? await endedAlready(deps, order) : 0;
  const request = { prefix: "stop_", tenant, body, idempotencyKey, answer: StopReport } as const;
  return answerOnce(deps.ledger.answers, manager, request, async (stop_id) => {
    const action = order.scope !== "all" && order.tenant === manager.tenant ? "session.stop" : "platform.manage";
    const decision = await decideChange(deps.tenants, manager, { action, tenant });
    const { scope, target, reason } = body;
    await recordOnce(deps.ledger.tenants, {
      ...actorOf(manager),
      tenant,
      type: "sessions.stop_requested",
      key: `sessions.stop_requested/${stop_id}`,
      data: { ...decision, stop_id, scope, ...(target !== undefined && { target }), reason },
    });
    const reached = await endSessions(deps, order, { stopId: stop_id, by: manager.user, reason });
    const tokens = await revokeTokens(
      deps,
      reached.filter(({ outcome }) => outcome !== "already_ended").map(({ row }) => row),
      { logins: endsLogins[scope], spared: manager.token.jti, now: deps.tenants.now() },
    );
    const report: StopReport = { stop_id, scope, ...listed(reached), tokens };
    report.already_ended += already;
    await recordOnce(deps.ledger.tenants, {
      ...actorOf(manager),
      tenant,
      type: "sessions.stopped",
      key: `sessions.stopped/${stop_id}`,
      data: {
        stop_id,
        stopped: report.stopped.length,
        already_ended: report.already_ended,
        unknown: report.unknown.length,
        tokens_revoked: tokens.revoked,
        tokens_not_revoked: tokens.not_revoked,
        list_digest: digestOf(report),
      },
    });
    return report;
  });
}

/** @throws DomainError SESSION_NOT_FOUND */
async function endedAlready(
  { ledger }: StopDeps,
  { tenant, sessionId }: Extract<StopOrder, { scope: "session" }>,
): Promise<number> {
  const row = await ledger.findSession({ tenant, sessionId });
  if (row === undefined) throw sessionNotFound();
  return isTerminal(row.status) ? 1 : 0;
}

function listed(reached: readonly Reached[]): Pick<StopReport, "stopped" | "already_ended" | "unknown"> {
  const report: Pick<StopReport, "stopped" | "already_ended" | "unknown"> = {
    stopped: [],
    already_ended: 0,
    unknown: [],
  };
  for (const { row, outcome } of reached) {
    if (outcome === "stopped") report.stopped.push(row.session_id);
    else if (outcome === "already_ended") report.already_ended += 1;
    else report.unknown.push(doubt(row.session_id, outcome));
  }
  return report;
}

function doubt(session_id: Reached["row"]["session_id"], why: StopDoubt): StopReport["unknown"][number] {
  return { session_id, why };
}
