import { RevokedToken, RevokeTokenRequest } from "@soma/contracts/identity";
import { Problem } from "@soma/contracts/problem";
import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";
import type { Identity } from "../identity.ts";
import { revokeById, revokeByToken } from "../tokens/revoke-token.ts";

/** `POST /v1/tokens/revoke`: who holds a token may end it; who knows only its id needs a service credential. */
export function addRevokeRoute(app: Server, identity: Identity): void {
  app.post(
    "/v1/tokens/revoke",
    {
      schema: {
        summary: "Revokes a token by itself, or by its id with a service credential",
        security: [{}, { bearer: [] }],
        body: RevokeTokenRequest,
        response: { 200: RevokedToken, 400: Problem, 401: Problem },
      },
    },
    (request) => revoke(identity, request.body, request.headers.authorization),
  );
}

async function revoke(
  identity: Identity,
  { token, jti }: RevokeTokenRequest,
  authorization: string | undefined,
): Promise<RevokedToken> {
  const { credentials, metrics } = identity;
  if (token !== undefined && jti === undefined) {
    const revoked = await revokeByToken(identity, token);
    if (revoked) metrics.revocations.inc({ by: "token" });
    return { revoked };
  }
  if (jti !== undefined && token === undefined) {
    credentials.authenticate(authorization);
    const revoked = revokeById(identity, jti);
    metrics.revocations.inc({ by: "jti" });
    return { revoked };
  }
  const detail = "exactly one of token and jti is required";
  throw new DomainError("VALIDATION_FAILED", `The body: ${detail}.`, { fields: [{ pointer: "", detail }] });
}
