import { randomUUIDv7 } from "node:crypto";
import { Decision, EvaluateRequest } from "@soma/contracts/policy";
import { Problem } from "@soma/contracts/problem";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { digestOf } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { decisionIdOf, type DecisionMemory, type RepeatableQuestion } from "../decision-memory.ts";
import { evaluate } from "../evaluate.ts";
import type { EngineMetrics } from "../metrics.ts";
import type { PackStore } from "../packs/pack-store.ts";

export interface EvaluateDependencies {
  readonly store: Pick<PackStore, "find">;
  readonly memory: DecisionMemory;
  readonly log: Logger;
  readonly metrics: Pick<EngineMetrics, "decisions" | "evaluationSeconds">;
  readonly decisionTtlSeconds: number;
  readonly now: () => Date;
}

const Headers = Type.Object({
  [idempotencyKeyHeader]: Type.Optional(
    Type.String({
      pattern: "^[\\x21-\\x7e]{1,255}$",
      description: "Same key and request: the same decision, until it expires or policy changes",
    }),
  ),
});

/** `policy_version` of a denial that no pack made. */
const noPack = "none";

/**
 * `POST /v1/evaluate`. Every request that fits the schema is answered with 200 and a decision, denials included; the
 * answer is closed: it carries the request's session and request id, so that it cannot pass for another's. With an
 * `Idempotency-Key` the same request gets the same decision until that expires or the pack changes.
 */
export function addEvaluateRoute(app: Server, dependencies: EvaluateDependencies): void {
  const { store, memory, log, metrics, decisionTtlSeconds, now } = dependencies;
  app.post(
    "/v1/evaluate",
    {
      schema: {
        summary: "Decide one action",
        headers: Headers,
        body: EvaluateRequest,
        response: { 200: Decision, 400: Problem, 422: Problem },
      },
    },
    (request): Decision => {
      const pack = store.find(request.body.tenant, request.body.pack);
      const policyVersion = pack?.policyVersion ?? noPack;
      const question = questionOf(request.headers[idempotencyKeyHeader], request.body);
      const before = question && memory.find(question, policyVersion, now().getTime());
      // Closed like any other answer: to this very request.
      if (before) return { ...before, request_id: request.id };
      const stop = metrics.evaluationSeconds.startTimer();
      const { allowed, score, severity, reasons, obligations } = evaluate(pack, request.body);
      stop();
      const decision: Decision = {
        allowed,
        score,
        severity,
        reasons,
        decision_id: question ? decisionIdOf(question, policyVersion) : randomUUIDv7(),
        policy_version: policyVersion,
        expires_at: new Date(now().getTime() + decisionTtlSeconds * 1000).toISOString(),
        obligations,
        session_id: request.body.session_id,
        request_id: request.id,
      };
      if (question) memory.remember(question, decision);
      const outcome = allowed ? "allowed" : "denied";
      metrics.decisions.inc({ outcome });
      const { decision_id, policy_version } = decision;
      log.info({ decision_id, tenant: request.body.tenant, outcome, policy_version }, "decision");
      return decision;
    },
  );
}

/** @throws DomainError VALIDATION_FAILED for a request that has no canonical form, of which no digest could be the same. */
function questionOf(key: string | undefined, request: EvaluateRequest): RepeatableQuestion | undefined {
  if (key === undefined) return undefined;
  try {
    return { tenant: request.tenant, key, requestDigest: digestOf(request) };
  } catch {
    const detail = "holds half a surrogate pair or a number out of range, which a request with a key cannot";
    throw new DomainError("VALIDATION_FAILED", `The body: ${detail}.`, { fields: [{ pointer: "", detail }] });
  }
}
