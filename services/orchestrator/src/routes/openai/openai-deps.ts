import type { ServiceMetrics } from "@soma/kit/metrics";
import type { ModelListDeps } from "../../openai/list-models.ts";
import type { AnswerDeps } from "../../openai/session-answer.ts";
import type { RouteDeps } from "../route-deps.ts";

/** What the routes of the OpenAI-compatible face need beside the others. */
export interface OpenaiDeps extends RouteDeps, AnswerDeps, ModelListDeps {
  readonly metrics: Pick<ServiceMetrics, "requestsRefused">;
}
