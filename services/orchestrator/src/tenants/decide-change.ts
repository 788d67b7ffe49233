import { randomUUIDv7 } from "node:crypto";
import { isSessionId } from "@soma/contracts/ids";
import type { Capability } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Manager } from "../access/manager.ts";
import type { PolicyAnswer } from "../adapters/policy-client.ts";
import type { TenantDeps } from "./tenant-deps.ts";
import { actorOf } from "./tenant-actor.ts";

/** What every change of a tenant names: the decision that allowed it. */
export interface ChangeDecision {
  readonly decision_id: string;
  readonly policy_version: string;
}

interface Change {
  readonly action: Extract<
    Capability,
    "platform.manage" | "tenant.manage" | "key.manage" | "session.stop" | "subject.erase"
  >;
  /** The tenant that is to change. */
  readonly tenant: string;
  /** Whose ledger tells of a denial: the tenant's own, unless it is not there yet. */
  readonly recordedIn?: string;
}

const maxReasons = 16;

/**
 * Asks policy about a change of a tenant; the pack is that of the manager's own tenant. A denial is recorded before it
 * is told.
 *
 * @throws DomainError POLICY_DENIED, OBLIGATION_UNMET, POLICY_UNAVAILABLE, POLICY_BAD_RESPONSE, AUDIT_UNAVAILABLE: in each
 * case nothing was changed.
 */
export async function decideChange(deps: TenantDeps, manager: Manager, change: Change): Promise<ChangeDecision> {
  const { action, tenant, recordedIn = tenant } = change;
  const answer = await ask(deps, manager, change);
  const { decisionId: decision_id, policyVersion: policy_version } = answer;
  const refusal = refusalOf(answer);
  if (refusal === undefined) return { decision_id, policy_version };
  await deps.ledger.tenants.append({
    events: [
      {
        ...actorOf(manager),
        tenant: recordedIn,
        type: "change.denied",
        key: `change.denied/${randomUUIDv7()}`,
        data: { decision_id, policy_version, action, reasons: [...answer.reasons] },
      },
    ],
  });
  throw refusal;
}

async function ask({ policy, snapshots }: TenantDeps, manager: Manager, change: Change): Promise<PolicyAnswer> {
  const id = randomUUIDv7();
  const session_id = `ctl-${id}`;
  if (!isSessionId(session_id)) throw new TypeError("a control id is a session id");
  const pack = (await snapshots.find(manager.tenant))?.settings.policy_pack;
  return policy.evaluate(
    {
      session_id,
      tenant: manager.tenant,
      user: manager.user,
      prompt: "",
      role: manager.role,
      action: change.action,
      resource: `tenant:${change.tenant}`,
      metadata: {},
      ...(pack !== undefined && { pack }),
    },
    { requestId: id, idempotencyKey: id },
    new AbortController().signal,
  );
}

function refusalOf({ allowed, reasons, obligations }: PolicyAnswer): DomainError | undefined {
  const said = reasons.slice(0, maxReasons).join("; ");
  if (!allowed) return new DomainError("POLICY_DENIED", `Policy denied the change: ${said || "without a reason"}.`);
  // An approval cannot be asked for yet, so a decision that needs one is no permission.
  const approval = obligations.find(({ kind }) => kind === "require_approval");
  if (approval === undefined) return undefined;
  return new DomainError("OBLIGATION_UNMET", "Policy asks for an approval, which cannot be given yet.");
}
