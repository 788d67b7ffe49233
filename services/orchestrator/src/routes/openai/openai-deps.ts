import type { ServiceMetrics } from "@soma/kit/metrics";
import type { ModelListDeps } from "../../openai/list-models.ts";
import type { AnswerDeps } from "../../openai/session-answer.ts";
import type { StartDeps } from "../start-session.ts";

/** What the routes of the OpenAI-compatible face need beside the others. */
export interface OpenaiDeps extends StartDeps, AnswerDeps, ModelListDeps {
  readonly metrics: Pick<ServiceMetrics, "requestsRefused">;
}
