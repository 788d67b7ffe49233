import { ForeignDecision, type EvaluateRequest } from "@soma/contracts/policy";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { Upstream, UpstreamError } from "@soma/kit/upstream";
import { Value } from "typebox/value";

const deadlineMs = 1_000;
const maxBytes = 1_048_576;
/** For engines that say nothing of how long their answer holds. */
const defaultValidityMs = 60_000;

/** However long an engine says that its answer holds: a right that was taken away must end soon. */
const maxValidityMs = 300_000;

/** A closed answer: whatever the engine left out is filled in here, whatever does not fit never gets this far. */
export interface PolicyAnswer {
  readonly allowed: boolean;
  readonly score: number;
  readonly severity: ForeignDecision["severity"];
  readonly reasons: readonly string[];
  readonly decisionId: string;
  readonly policyVersion: string;
  readonly expiresAt: string;
  readonly obligations: NonNullable<ForeignDecision["obligations"]>;
}

/** What a question is known by. */
export interface QuestionIds {
  /** Comes back with the answer. */
  readonly requestId: string;
  readonly idempotencyKey: string;
}

export interface PolicyClient {
  /**
   * Asks the engine; the same key with the same request is the same question, whose answer may be remembered.
   * @throws DomainError POLICY_UNAVAILABLE or POLICY_BAD_RESPONSE: both are denials for now.
   */
  evaluate(request: EvaluateRequest, ids: QuestionIds, signal: AbortSignal): Promise<PolicyAnswer>;
  checkHealth(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** `url` is the full URL of `POST /v1/evaluate`. */
export function createPolicyClient(url: URL): PolicyClient {
  const upstream = new Upstream({ name: "policy-engine", origin: url.origin, deadlineMs, maxBytes });
  const prefix = url.pathname.slice(0, -"/v1/evaluate".length);
  return {
    async evaluate(request, { requestId, idempotencyKey }, signal) {
      try {
        const answer = await upstream.postJson(url.pathname, request, {
          headers: { "x-request-id": requestId, [idempotencyKeyHeader]: idempotencyKey },
          signal,
        });
        if (answer.status >= 500) throw unavailable(`status ${String(answer.status)}`);
        // A redirect, a 204 or a 4xx is no decision, whatever its body says.
        if (answer.status !== 200) throw badResponse(`status ${String(answer.status)}`);
        return readAnswer(answer.body, answer.headers["x-request-id"], request, requestId);
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        throw error.fault === "unavailable" ? unavailable(error) : badResponse(error);
      }
    },
    async checkHealth(signal) {
      const { status } = await upstream.getJson(`${prefix}/health`, { signal });
      if (status >= 500) throw new Error(`/health answered ${String(status)}`);
    },
    close: () => upstream.close(),
  };
}

/** Reads only what is closed and about this very request; `allowed` must be there and be a boolean (P1). */
function readAnswer(body: unknown, echoedId: unknown, request: EvaluateRequest, requestId: string): PolicyAnswer {
  if (!Value.Check(ForeignDecision, body)) throw badResponse("an answer that does not fit the contract");
  if (echoedId !== undefined && echoedId !== requestId) throw badResponse("the answer to another request");
  if (body.request_id !== undefined && body.request_id !== requestId)
    throw badResponse("the answer to another request");
  if (body.session_id !== undefined && body.session_id !== request.session_id)
    throw badResponse("the answer to another session");
  // What goes into the ledger must be valid Unicode: an id that is not is no id, a reason loses what is not.
  if (!(body.decision_id ?? "").isWellFormed() || !(body.policy_version ?? "").isWellFormed())
    throw badResponse("an id that is no valid Unicode");
  const expiresAt =
    body.expires_at === undefined ? new Date(Date.now() + defaultValidityMs) : new Date(body.expires_at);
  if (Number.isNaN(expiresAt.getTime())) throw badResponse("an expiry that is no time");
  return {
    allowed: body.allowed,
    score: body.score,
    severity: body.severity,
    reasons: body.reasons.map((reason) => reason.toWellFormed()),
    decisionId: body.decision_id ?? requestId,
    policyVersion: body.policy_version ?? "unversioned",
    expiresAt: new Date(Math.min(expiresAt.getTime(), Date.now() + maxValidityMs)).toISOString(),
    obligations: body.obligations ?? [],
  };
}

function unavailable(cause: unknown): DomainError {
  return new DomainError(
    "POLICY_UNAVAILABLE",
    "The policy engine gave no answer in time; nothing is done without one.",
    { cause: asError(cause) },
  );
}

function badResponse(cause: unknown): DomainError {
  return new DomainError(
    "POLICY_BAD_RESPONSE",
    "The policy engine gave an answer that is not a decision; it counts as a denial.",
    { cause: asError(cause) },
  );
}

function asError(cause: unknown): unknown {
  return typeof cause === "string" ? new Error(`policy-engine gave ${cause}`) : cause;
}
