import { VerifiedToken, VerifyTokenRequest } from "@soma/contracts/identity";
import { Problem } from "@soma/contracts/problem";
import type { Server } from "@soma/kit/server";
import type { Identity } from "../identity.ts";
import { verifyToken } from "../tokens/verify-token.ts";

/** `POST /v1/tokens/verify`: what is wrong with a token is for us to know and not for who sends it. */
export function addVerifyRoute(app: Server, identity: Identity): void {
  app.post(
    "/v1/tokens/verify",
    {
      schema: {
        summary: "Says whether a token is valid now, and its claims; never why it is not",
        body: VerifyTokenRequest,
        response: { 200: VerifiedToken, 400: Problem },
      },
    },
    async (request, reply) => {
      const verification = await verifyToken(identity, request.body.token);
      const result = verification.valid ? "valid" : verification.reason;
      identity.metrics.verifications.inc({ result });
      reply.header("cache-control", "no-store");
      if (verification.valid) return { valid: true, claims: verification.claims };
      identity.log.debug({ request_id: request.id, reason: verification.reason }, "token is not valid");
      return { valid: false };
    },
  );
}
