import { DomainError } from "@soma/kit/domain-error";
import type { FastifyRequest } from "fastify";

/**
 * Lets the gateway itself pass and nobody whose request it passes on: those carry a token, its own do not.
 *
 * @throws DomainError GATEWAY_REQUIRED
 */
export function requireGateway(fromGateway: (request: FastifyRequest) => boolean, request: FastifyRequest): void {
  if (fromGateway(request) && request.headers.authorization === undefined) return;
  throw new DomainError("GATEWAY_REQUIRED", "Only the gateway itself asks this.");
}
