import { idempotencyKeyHeader, memoryAudience, type Capability } from "@soma/contracts/wire-names";
import { digestOfParts } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import type { FastifyRequest } from "fastify";
import type { Subject } from "../store/memory-store.ts";
import type { IdentityClient } from "./identity-client.ts";

/** Who asks: tenant and user are what his token says, and nothing else says it. */
export interface Caller extends Subject {
  readonly token: string;
  /** His key for repeating this request, if he sent one. */
  readonly idempotencyKey?: string;
}

/**
 * Finds out who sends a request and whether he may: a token for this service, verified for each request, with the scope.
 *
 * @throws DomainError UNAUTHENTICATED, FORBIDDEN, IDENTITY_UNAVAILABLE or IDENTITY_BAD_RESPONSE
 */
export async function authenticate(
  identity: Pick<IdentityClient, "verify">,
  { headers }: FastifyRequest,
  scope: Capability,
): Promise<Caller> {
  const [, token] = /^Bearer ([A-Za-z0-9_.-]{1,8192})$/.exec(headers.authorization ?? "") ?? [];
  const claims = token === undefined ? undefined : await identity.verify(token);
  // A token for another service is no token here, however valid it is.
  if (token === undefined || claims === undefined || claims.aud !== memoryAudience)
    throw new DomainError(
      "UNAUTHENTICATED",
      "Send a valid access token for this service: authorization: Bearer <token>.",
    );
  if (!claims.scope.split(" ").includes(scope)) throw new DomainError("FORBIDDEN", `The token lacks ${scope}.`);
  const { tenant_id: tenant, sub: user, session_id: session, step } = claims;
  const idempotencyKey = headers[idempotencyKeyHeader];
  if (typeof idempotencyKey !== "string") return { tenant, user, token };
  // A step's token with another step's key: it would be done in that one's name.
  if (session !== undefined && step !== undefined && idempotencyKey !== digestOfParts(tenant, session, step))
    throw new DomainError("FORBIDDEN", "The idempotency-key is not that of the step that the token is for.");
  return { tenant, user, token, idempotencyKey };
}
