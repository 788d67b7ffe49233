import type { EventData } from "@soma/contracts/audit";
import type { GovernedAction, Permit } from "@soma/contracts/permit";
import type { MintedToken } from "../adapters/identity-client.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { roundKey } from "../permits/permit.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { eventContext, recoveredEvents, stepKeys } from "./step-events.ts";

/** At most five minutes: long enough for a step that has to wait its turn, short enough to be worthless soon. */
const ttlSeconds = 300;

/**
 * The one right that the action needs. The memory gateway has texts made into vectors in the caller's name, so a token for
 * it says that he may have that done, too.
 */
function capabilitiesOf({ action }: GovernedAction): string[] {
  return action.startsWith("memory.") ? [action, "model.embed"] : [action];
}

export interface StepTokenRequest {
  readonly row: SessionRow;
  readonly permit: Permit;
  readonly action: GovernedAction;
  readonly audience: string;
  /** How often the effect has outlived its token: 0 for the step's first. */
  readonly renewal: number;
  readonly signal: AbortSignal;
}

/**
 * Mints and records a token of one step: with what its action needs, for one audience, narrowed by what
 * user and agent may do, and derived from the token that the session was started with. Asked again it is the same.
 *
 * @throws DomainError ACCESS_REVOKED, IDENTITY_DENIED, IDENTITY_UNAVAILABLE, IDENTITY_BAD_RESPONSE or AUDIT_UNAVAILABLE.
 */
export async function mintStepToken(
  deps: ActivityDeps,
  { row, permit, action, audience, renewal, signal }: StepTokenRequest,
): Promise<{ readonly minted: MintedToken; readonly issued: EventData<"token.issued"> }> {
  const key = roundKey(permit.effect_key, permit.round);
  const minted = await deps.identity.issue(
    {
      user_id: row.user,
      tenant_id: row.tenant,
      agent_id: row.agent,
      capabilities: capabilitiesOf(action),
      audience,
      ttl_seconds: ttlSeconds,
      session_id: row.session_id,
      step: permit.step,
      ...(row.token_jti !== undefined && { parent_jti: row.token_jti }),
      ...(row.token_origins !== undefined && { parent_origins: row.token_origins }),
    },
    renewal === 0 ? key : `${key}/${String(renewal)}`,
    signal,
  );
  const { jti, exp, scope } = minted.claims;
  const issued: EventData<"token.issued"> = {
    step: permit.step,
    effect_key: permit.effect_key,
    decision_id: permit.decision_id,
    jti,
    audience,
    scopes: scope.split(" "),
    expires_at: new Date(exp * 1000).toISOString(),
  };
  await deps.ledger.append([
    ...recoveredEvents(row, permit.step, "identity-service"),
    // Keyed by the token: a key that stands for one that has ended brings another, and both stand in the ledger.
    {
      ...eventContext(row),
      type: "token.issued",
      key: `${stepKeys.tokenIssued(permit.step, permit.round)}/${jti}`,
      data: issued,
    },
  ]);
  return { minted, issued };
}
