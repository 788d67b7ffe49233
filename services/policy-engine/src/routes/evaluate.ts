import { randomUUIDv7 } from "node:crypto";
import { Decision, EvaluateRequest } from "@soma/contracts/policy";
import type { Logger } from "@soma/kit/logger";
import type { Server } from "@soma/kit/server";
import { evaluate } from "../evaluate.ts";
import type { EngineMetrics } from "../metrics.ts";
import type { PackStore } from "../packs/pack-store.ts";

export interface EvaluateDependencies {
  readonly store: Pick<PackStore, "find">;
  readonly log: Logger;
  readonly metrics: Pick<EngineMetrics, "decisions" | "evaluationSeconds">;
  readonly decisionTtlSeconds: number;
  readonly now: () => Date;
}

/** `policy_version` of a denial that no pack made. */
const noPack = "none";

/**
 * `POST /v1/evaluate`. Every request that fits the schema is answered with 200 and a decision, denials included; the
 * answer is closed: it carries the request's session and request id, so that it cannot pass for another's.
 */
export function addEvaluateRoute(app: Server, dependencies: EvaluateDependencies): void {
  const { store, log, metrics, decisionTtlSeconds, now } = dependencies;
  app.post(
    "/v1/evaluate",
    { schema: { summary: "Decide one action", body: EvaluateRequest, response: { 200: Decision } } },
    (request): Decision => {
      const pack = store.find(request.body.tenant);
      const stop = metrics.evaluationSeconds.startTimer();
      const { allowed, score, severity, reasons, obligations } = evaluate(pack, request.body);
      stop();
      const decision: Decision = {
        allowed,
        score,
        severity,
        reasons,
        decision_id: randomUUIDv7(),
        policy_version: pack?.policyVersion ?? noPack,
        expires_at: new Date(now().getTime() + decisionTtlSeconds * 1000).toISOString(),
        obligations,
        session_id: request.body.session_id,
        request_id: request.id,
      };
      const outcome = allowed ? "allowed" : "denied";
      metrics.decisions.inc({ outcome });
      const { decision_id, policy_version } = decision;
      log.info({ decision_id, tenant: request.body.tenant, outcome, policy_version }, "decision");
      return decision;
    },
  );
}
