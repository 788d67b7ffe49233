import type { NewEvent } from "@soma/contracts/audit";
import type { ErrorCode } from "@soma/contracts/error-codes";
import type { Dependency } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { SessionRow } from "../ledger/session-row.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { unavailableEvent } from "./step-events.ts";

/** Codes that mean "not now": the session says what it waits for, and Temporal tries the activity again. */
const waitingFor: Partial<Record<ErrorCode, Dependency>> = {
  POLICY_UNAVAILABLE: "policy-engine",
  POLICY_BAD_RESPONSE: "policy-engine",
  IDENTITY_UNAVAILABLE: "identity-service",
  IDENTITY_BAD_RESPONSE: "identity-service",
  MODEL_UNAVAILABLE: "slm",
  MODEL_BAD_RESPONSE: "slm",
  MEMORY_UNAVAILABLE: "memory-gateway",
  MEMORY_BAD_RESPONSE: "memory-gateway",
};

/**
 * Runs the part of an activity that needs an upstream. When that is down or gives an answer that cannot be trusted,
 * one event says so and the session shows `blocked_on`; the error goes on to Temporal's retries.
 */
export async function recordingOutage<Result>(
  deps: ActivityDeps,
  row: SessionRow,
  step: string,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    const dependency = error instanceof DomainError ? waitingFor[error.code] : undefined;
    // What is recorded is the first failure of an outage; later ones add nothing, whichever code they carry.
    if (error instanceof DomainError && dependency !== undefined && row.blocked_on !== dependency) {
      await recordOnce(deps, unavailableEvent(row, step, dependency, error.code));
    }
    throw error;
  }
}

/** Somebody was faster: another attempt that failed at the same time by another code, or a pause that was asked for. */
const overtaken: ReadonlySet<ErrorCode> = new Set(["EVENT_CONFLICT", "SESSION_PAUSED", "TRANSITION_NOT_ALLOWED"]);

/** Records what a look at the session found, unless the session has moved on meanwhile: whoever asked looks again. */
export async function recordOnce(deps: ActivityDeps, event: NewEvent): Promise<void> {
  try {
    await deps.ledger.append([event]);
  } catch (error) {
    if (!(error instanceof DomainError && overtaken.has(error.code))) throw error;
  }
}
