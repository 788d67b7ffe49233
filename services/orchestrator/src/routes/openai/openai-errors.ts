import { errors } from "@soma/contracts/error-codes";
import { OpenaiError } from "@soma/contracts/openai";
import { openaiStatus } from "@soma/contracts/openai-errors";
import { DomainError } from "@soma/kit/domain-error";
import { toDomainError } from "@soma/kit/problem-response";
import type { FastifyReply, FastifyRequest } from "fastify";
import { openaiError } from "../../openai/errors.ts";
import type { OpenaiDeps } from "./openai-deps.ts";

/** Documents the refusals of a route of this face. */
export function refusals(...statuses: readonly number[]): Record<number, typeof OpenaiError> {
  return Object.fromEntries(statuses.map((status) => [status, OpenaiError]));
}

type Answer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** Answers every error of these routes in the shape that OpenAI's clients read. */
export function answerInOpenaiShape({ metrics, log }: OpenaiDeps): Answer {
  return (error, request, reply) => {
    const known = toDomainError(error, request.routeOptions.schema);
    const status = openaiStatus(known.code);
    metrics.requestsRefused.inc({ code: known.code });
    if (status >= 500)
      log.error({ request_id: request.id, code: known.code, err: known.cause ?? known }, "request failed");
    if (known.retryAfterSeconds !== undefined) reply.header("retry-after", String(known.retryAfterSeconds));
    if (status === 401) reply.header("www-authenticate", "Bearer");
    // The SDKs repeat 408, 409, 429 and 5xx by themselves; what will not change is not to be asked again.
    if (errors[known.code].retry === "never") doNotRepeat(reply);
    return reply
      .code(status)
      .type("application/json")
      .send(JSON.stringify(openaiError(known)));
  };
}

/** Not found, in the same shape. */
export function notFoundInOpenaiShape(
  deps: OpenaiDeps,
): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  const answer = answerInOpenaiShape(deps);
  return (request, reply) =>
    answer(
      new DomainError("ROUTE_NOT_FOUND", "No route serves this method and path; /openapi.json lists them all."),
      request,
      reply,
    );
}

/** Tells the official SDKs, which repeat failed requests by themselves, not to: a session was begun, and would be again. */
export function doNotRepeat(reply: FastifyReply): void {
  reply.header("x-should-retry", "false");
}
