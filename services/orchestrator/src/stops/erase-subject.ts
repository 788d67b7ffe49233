import { ErasureReport, type EraseSubjectRequest, type MemoryErasure } from "@soma/contracts/stop";
import type { TenantId, UserId } from "@soma/contracts/ids";
import { DomainError } from "@soma/kit/domain-error";
import { requireReach, type Manager } from "../access/manager.ts";
import type { Subject } from "../contents/subject.ts";
import { decideChange } from "../tenants/decide-change.ts";
import { findTenant } from "../tenants/find-tenant.ts";
import { actorOf } from "../tenants/tenant-actor.ts";
import { answerOnce } from "./answer-once.ts";
import { recordEnd } from "../sessions/record-end.ts";
import type { StopCause } from "./ask-to-end.ts";
import { endSessions } from "./end-sessions.ts";
import { recordOnce } from "./record-once.ts";
import { revokeTokens } from "./revoke-tokens.ts";
import type { StopDeps } from "./stop-deps.ts";

/**
 * Erases a data subject: ends the user's sessions, destroys the keys of all that was ever written for him, and asks the
 * memory gateway to forget him. His ledgers stay and verify: they hold digests. Who comes back gets a new key.
 *
 * @throws DomainError FORBIDDEN, TENANT_NOT_FOUND, POLICY_DENIED, POLICY_UNAVAILABLE, IDEMPOTENCY_KEY_REUSED, AUDIT_UNAVAILABLE;
 * TEMPORAL_UNAVAILABLE while a session of his cannot be ended for certain: then no key was destroyed
 */
export async function eraseSubject(
  deps: StopDeps,
  manager: Manager,
  body: EraseSubjectRequest,
  idempotencyKey: string | undefined,
): Promise<ErasureReport> {
  requireReach(manager, "subject.erase");
  const { user, tenant = manager.tenant, reason } = body;
  await findTenant(deps.tenants, manager, tenant);
  const request = { prefix: "erasure_", tenant, body, idempotencyKey, answer: ErasureReport } as const;
  return answerOnce(deps.ledger.answers, manager, request, async (erasure_id) => {
    const action = tenant === manager.tenant ? "subject.erase" : "platform.manage";
    const decision = await decideChange(deps.tenants, manager, { action, tenant });
    await recordOnce(deps.ledger.tenants, {
      ...actorOf(manager),
      tenant,
      type: "subject.erasure_requested",
      key: `subject.erasure_requested/${erasure_id}`,
      data: { ...decision, erasure_id, subject: user, ...(reason !== undefined && { reason }) },
    });
    const cause = { stopId: erasure_id, by: manager.user, ...(reason !== undefined && { reason }) };
    const before = await endForCertain(deps, manager, { tenant, user }, cause);
    const keys_destroyed = await deps.ledger.contentKeys.destroy({ tenant, user });
    // What began while the first ones ended had its prompt under a key that is gone.
    const between = await endForCertain(deps, manager, { tenant, user }, cause);
    const done = {
      erasure_id,
      stopped: before + between,
      keys_destroyed,
      memory: await eraseMemory(deps, { tenant, user }, manager),
    };
    await recordOnce(deps.ledger.tenants, {
      ...actorOf(manager),
      tenant,
      type: "subject.erased",
      key: `subject.erased/${erasure_id}`,
      data: { ...done, subject: user },
    });
    return { ...done, tenant, user };
  });
}

/**
 * Ends the user's sessions so that nothing of them can write a text afterwards: one that does not end when it is asked to
 * is ended by us, in Temporal and then in the ledger, which takes nothing of a session that has ended.
 *
 * @returns how many it ended
 * @throws DomainError TEMPORAL_UNAVAILABLE
 */
async function endForCertain(
  deps: StopDeps,
  manager: Manager,
  subject: { readonly tenant: TenantId; readonly user: UserId },
  cause: StopCause,
): Promise<number> {
  const reached = await endSessions(deps, { scope: "user", ...subject }, cause);
  const ended = reached.filter(({ outcome }) => outcome !== "already_ended").map(({ row }) => row);
  for (const { row, outcome } of reached) {
    if (outcome === "stopped" || outcome === "already_ended") continue;
    await deps.workflows.terminate(row.session_id);
    await recordEnd(deps.ledger, row, { status: "canceled" });
  }
  await revokeTokens(deps, ended, { logins: true, spared: manager.token.jti, now: deps.tenants.now() });
  return ended.length;
}

async function eraseMemory(deps: StopDeps, subject: Subject, manager: Manager): Promise<MemoryErasure> {
  if (deps.eraseMemory === undefined) return "not_configured";
  try {
    await deps.eraseMemory(subject, manager);
    return "erased";
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    deps.tenants.log.warn(
      { tenant: subject.tenant, code: error.code, err: error },
      "the memory of an erased subject is not known to be gone",
    );
    return "unavailable";
  }
}
