import { CancelledFailure } from "@temporalio/common";
import type { EventData, NewEvent } from "@soma/contracts/audit";
import type { GovernedAction, Permit, SealedToken } from "@soma/contracts/permit";
import { errors, type ErrorCode } from "@soma/contracts/error-codes";
import { DomainError } from "@soma/kit/domain-error";
import { countRefusal, settledCost } from "../budgets/count-budget.ts";
import { assertTimeLeft, WallClock } from "../budgets/wall-clock.ts";
import { checkPermit } from "../permits/permit.ts";
import { openToken } from "../permits/token-seal.ts";
import type { NewContent } from "../ledger/content.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import { mintStepToken } from "./mint-step-token.ts";
import type { Dependency } from "@soma/contracts/wire-names";
import { eventContext, recoveredEvents, stepKeys, type EffectOutcome } from "./step-events.ts";
import { passTenantGate } from "./tenant-gate.ts";
import { TokenWatch } from "./token-watch.ts";
import { recordingOutage } from "./waiting.ts";

type Outcome<Result> = { readonly result: Result; readonly contents: readonly NewContent[] } & OutcomeEvent;

type OutcomeEvent = { [T in EffectOutcome]: { readonly type: T; readonly data: EventData<T> } }[EffectOutcome];

interface EffectCall {
  readonly permit: Permit;
  readonly row: SessionRow;
  readonly token: string;
  /** Fires when the token is revoked while the effect runs: the effect ends at once, with the signal's reason. */
  readonly signal: AbortSignal;
}

interface Effect<Result> {
  /** The event that says that it was done. */
  readonly outcome: EffectOutcome;
  /** Whom it is done by. */
  readonly target: Dependency;
  /** The effect itself, called at most once at a time for a key; the permit is checked and the intent recorded. */
  perform(call: EffectCall): Promise<Outcome<Result>>;
  /** The result of an effect that completed before, from what was recorded. */
  recall(row: SessionRow, data: unknown): Promise<Result>;
}

/**
 * The second half of a governed step, where the effect is: check permit and token → record intent → effect → record
 * outcome → end the token. While the effect runs the token is watched, and a revocation ends it. The outcome is recorded here, in the process that saw it, and not by the workflow: if this process
 * dies after that, the next attempt finds it and does nothing twice.
 *
 * @throws DomainError PERMIT_INVALID, PERMIT_EXPIRED, SESSION_CANCELED, TENANT_SUSPENDED (for now), AUDIT_UNAVAILABLE (no durable record, no effect),
 *   BUDGET_EXCEEDED (none left, or its wall time over meanwhile), QUOTA_EXCEEDED, MODEL_TOKEN_REFUSED (revoked, before or meanwhile), IDENTITY_UNAVAILABLE, or the effect's own.
 */
export async function performEffect<Result>(
  deps: ActivityDeps,
  untrusted: Permit,
  action: GovernedAction,
  sealed: SealedToken,
  effect: Effect<Result>,
): Promise<Result> {
  const permit = checkPermit(deps.keys.permit, untrusted, action, deps.now());
  // A step that had to wait past its token's time needs a new one, which only a new decision gives.
  if (Date.parse(sealed.expires_at) <= deps.now().getTime())
    throw new DomainError("PERMIT_EXPIRED", "The step's token has expired; policy must decide again.");
  const token = openToken(deps.keys.seal, sealed.sealed, permit.effect_key);
  const known = await findKnownSession(deps, permit.tenant, permit.session_id);
  const done = await deps.ledger.findEvent(
    known.tenant,
    known.session_id,
    stepKeys.outcome(permit.step, effect.outcome),
  );
  if (done) return effect.recall(known, done.data);
  const row = await passTenantGate(deps, known, permit.step);
  const watch = watchToken(deps, { row, permit, action, token });
  await recordingOutage(deps, row, permit.step, () => watch.assertFresh());
  const intent = intentOf(row, permit, action, sealed);
  await recordIntent(deps, row, [...recoveredEvents(row, permit.step, "identity-service"), intent], token, permit);
  let outcome: Outcome<Result>;
  const wall = new WallClock(deps);
  const signal = AbortSignal.any([watch.signal, wall.signal]);
  watch.start();
  wall.start(row);
  try {
    const perform = (): Promise<Outcome<Result>> => effect.perform({ permit, row, token, signal });
    // A session that goes on without its memory waits for nothing.
    const waits = effect.target !== "memory-gateway" || permit.memory_unavailable === "wait";
    outcome = await (waits ? recordingOutage(deps, row, permit.step, perform) : perform());
  } catch (error) {
    const cause: unknown = signal.aborted ? signal.reason : error;
    countRefusal(deps.metrics, cause);
    if (isFinal(cause)) await endTokens(deps, [token, watch.token], permit);
    throw cause;
  } finally {
    watch.stop();
    wall.stop();
  }
  const { result, contents, ...event } = outcome;
  const key = stepKeys.outcome(permit.step, effect.outcome);
  const completed: NewEvent = { ...eventContext(row), key, ...priced(deps, permit, event) };
  try {
    await deps.ledger.append([...recoveredEvents(row, permit.step, effect.target), completed], contents);
  } catch (error) {
    // An attempt that was given up for dead has recorded its outcome meanwhile: that one is the step's.
    const first = await deps.ledger.findEvent(row.tenant, row.session_id, completed.key);
    if (!first) throw error;
    return effect.recall(row, first.data);
  }
  await endTokens(deps, [token, watch.token], permit);
  return result;
}

/** What a completion cost, by the price that its permit names. */
function priced(deps: ActivityDeps, permit: Permit, event: OutcomeEvent): OutcomeEvent {
  if (event.type !== "effect.completed") return event;
  return { ...event, data: { ...event.data, ...settledCost(deps.metrics, permit, event.data.usage) } };
}

/**
 * No effect begins after a recorded request to cancel, a repeated one of an earlier intent included, nor without budget;
 * the token is of no more use then.
 *
 * @throws DomainError SESSION_CANCELED, BUDGET_EXCEEDED, QUOTA_EXCEEDED
 */
async function recordIntent(
  deps: ActivityDeps,
  row: SessionRow,
  intent: readonly NewEvent[],
  token: string,
  permit: Permit,
): Promise<void> {
  try {
    if (row.cancel_requested) throw new DomainError("SESSION_CANCELED", "The session is being canceled.");
    assertTimeLeft(row, deps.now());
    await deps.ledger.append(intent);
  } catch (error) {
    countRefusal(deps.metrics, error);
    if (error instanceof DomainError && endsTheStep.has(error.code)) await endTokens(deps, [token], permit);
    throw error;
  }
}

const endsTheStep: ReadonlySet<ErrorCode> = new Set(["SESSION_CANCELED", "BUDGET_EXCEEDED", "QUOTA_EXCEEDED"]);

/**
 * True when the step ends with this error, and its token with it. An attempt that ends because its worker stops, or
 * was taken for dead, is followed by another with the same token; only a requested cancellation is not.
 */
function isFinal(error: unknown): boolean {
  if (error instanceof CancelledFailure) return error.message === "CANCELLED";
  return error instanceof DomainError && errors[error.code].retry === "never";
}

function intentOf(row: SessionRow, permit: Permit, action: GovernedAction, token: SealedToken): NewEvent {
  return {
    ...eventContext(row),
    type: "effect.intended",
    key: stepKeys.intended(permit.step, permit.round),
    data: {
      step: permit.step,
      action: action.action,
      resource: action.resource,
      action_digest: permit.action_digest,
      effect_key: permit.effect_key,
      decision_id: permit.decision_id,
      jti: token.jti,
      ...(permit.approval_id !== undefined && { approval_id: permit.approval_id }),
      ...(permit.reserve && { reserved: permit.reserve }),
      ...(permit.price && { price: permit.price }),
    },
  };
}

function watchToken(
  deps: ActivityDeps,
  { token, ...step }: { row: SessionRow; permit: Permit; action: GovernedAction; token: string },
): TokenWatch {
  const { identity, log } = deps;
  return new TokenWatch({
    identity,
    log,
    session_id: step.row.session_id,
    token,
    now: () => deps.now(),
    renew: async (audience, renewal, signal) =>
      (await mintStepToken(deps, { ...step, audience, renewal, signal })).minted,
  });
}

/** A token that cannot be revoked now ends by itself within minutes; the step's outcome does not hang on it. */
async function endTokens(deps: ActivityDeps, tokens: readonly string[], permit: Permit): Promise<void> {
  try {
    for (const token of new Set(tokens)) await deps.identity.revoke(token);
  } catch (error) {
    deps.log.warn(
      { session_id: permit.session_id, step: permit.step, err: error },
      "the step's token could not be revoked; it ends by itself",
    );
  }
}
