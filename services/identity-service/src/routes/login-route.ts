import { IssuedToken, LoginRequest } from "@soma/contracts/identity";
import { Problem } from "@soma/contracts/problem";
import { refusalHeader } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";
import { logIn } from "../foreign/log-in.ts";
import type { Identity } from "../identity.ts";

/** `POST /v1/login`: open to everybody. Whatever is wrong with a token is one answer, the same for an unknown tenant. */
export function addLoginRoute(app: Server, identity: Identity): void {
  const { credentials, log, metrics } = identity;
  app.post(
    "/v1/login",
    {
      schema: {
        summary: "Exchanges an access token of an issuer that the tenant trusts for one of ours",
        security: [],
        body: LoginRequest,
        response: { 200: IssuedToken, 400: Problem, 401: Problem, 403: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      const { tenant } = request.body;
      try {
        const outcome = await logIn(identity, request.body);
        if (typeof outcome !== "string") {
          metrics.logins.inc({ result: "accepted" });
          log.info({ request_id: request.id, tenant }, "login accepted");
          // RFC 6749, section 5.1: no cache may keep a token.
          return await reply.header("cache-control", "no-store").send(outcome);
        }
        metrics.logins.inc({ result: outcome });
        log.debug({ request_id: request.id, reason: outcome }, "login refused");
        if (outcome === "keys_unavailable")
          throw new DomainError("IDENTITY_UNAVAILABLE", "The token's issuer gave no keys in time; try again.", {
            retryAfterSeconds: 5,
          });
        // For the gateway's counts; it is the gateway's to take it off.
        if (credentials.serviceOf(request.headers.authorization) !== undefined) reply.header(refusalHeader, outcome);
        throw new DomainError("LOGIN_REFUSED", "The token is not accepted for this tenant.");
      } catch (error) {
        if (error instanceof DomainError && error.code === "IDENTITY_DENIED") metrics.logins.inc({ result: "denied" });
        throw error;
      }
    },
  );
}
