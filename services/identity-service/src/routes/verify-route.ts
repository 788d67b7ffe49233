import { VerifiedToken, VerifyTokenRequest } from "@soma/contracts/identity";
import { Problem } from "@soma/contracts/problem";
import type { Server } from "@soma/kit/server";
import type { Identity } from "../identity.ts";
import { verifyToken } from "../tokens/verify-token.ts";

/** `POST /v1/tokens/verify`: what is wrong with a token is for our services to know and not for who sends it. */
export function addVerifyRoute(app: Server, identity: Identity): void {
  const { credentials, log, metrics } = identity;
  app.post(
    "/v1/tokens/verify",
    {
      schema: {
        summary: "Says whether a token or an API key is valid now, and its claims; to a service also why it is not",
        security: [{}, { bearer: [] }],
        body: VerifyTokenRequest,
        response: { 200: VerifiedToken, 400: Problem, 401: Problem },
      },
    },
    async (request, reply) => {
      const { authorization } = request.headers;
      // A credential that was sent counts: with a wrong one nobody is served as if he had sent none.
      if (authorization !== undefined) credentials.authenticate(authorization);
      const { token, audience } = request.body;
      const verification = await verifyToken(identity, token, audience);
      metrics.verifications.inc({ result: verification.valid ? "valid" : verification.reason });
      reply.header("cache-control", "no-store");
      if (verification.valid) return { valid: true, claims: verification.claims };
      const { reason } = verification;
      log.debug({ request_id: request.id, reason }, "token is not valid");
      return { valid: false, ...(authorization !== undefined && { reason }) };
    },
  );
}
