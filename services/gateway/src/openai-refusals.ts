import { errors } from "@soma/contracts/error-codes";
import { openaiErrorBody, openaiStatus } from "@soma/contracts/openai-errors";
import { toDomainError } from "@soma/kit/problem-response";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { GatewayParts } from "./gateway.ts";

type Answer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** Answers a refusal as the orchestrator does on these paths: in the shape that OpenAI's SDKs read. */
export function refuseInOpenaiShape({ metrics, log }: GatewayParts): Answer {
  return (error, request, reply) => {
    const known = toDomainError(error, request.routeOptions.schema);
    const status = openaiStatus(known.code);
    metrics.requestsRefused.inc({ code: known.code });
    if (status >= 500)
      log.error({ request_id: request.id, code: known.code, err: known.cause ?? known }, "request failed");
    if (known.retryAfterSeconds !== undefined) reply.header("retry-after", String(known.retryAfterSeconds));
    if (status === 401) reply.header("www-authenticate", "Bearer");
    // The SDKs repeat some statuses by themselves; what will not change is not to be asked again.
    if (errors[known.code].retry === "never") reply.header("x-should-retry", "false");
    return reply
      .code(status)
      .type("application/json")
      .send(JSON.stringify(openaiErrorBody(known.code, known.message, known.fields[0]?.pointer)));
  };
}
