import { IssuedToken, IssueTokenRequest } from "@soma/contracts/identity";
import { Problem } from "@soma/contracts/problem";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";
import type { Identity } from "../identity.ts";
import { issueToken } from "../tokens/issue-token.ts";
import { IdempotencyHeaders } from "./idempotency-headers.ts";

/** `POST /v1/tokens/issue` */
export function addIssueRoute(app: Server, identity: Identity): void {
  const { credentials, log, metrics } = identity;
  app.post(
    "/v1/tokens/issue",
    {
      schema: {
        summary: "Issues a token for a user to a service; never more than was asked for",
        security: [{ bearer: [] }],
        headers: IdempotencyHeaders,
        body: IssueTokenRequest,
        response: { 200: IssuedToken, 400: Problem, 401: Problem, 403: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      const { tenant_id: tenant, session_id: session, step } = request.body;
      const kind = session === undefined ? "user" : "step";
      try {
        const service = credentials.authenticate(request.headers.authorization);
        const key = request.headers[idempotencyKeyHeader];
        const { answer, repeated } = await issueToken(identity, service, request.body, key);
        metrics.tokensIssued.inc({ kind: repeated ? "repeated" : kind });
        log.info({ request_id: request.id, tenant, session_id: session, step }, "token issued");
        // RFC 6749, section 5.1: no cache may keep a token.
        return await reply.header("cache-control", "no-store").send(answer);
      } catch (error) {
        const code = error instanceof DomainError ? error.code : "INTERNAL";
        metrics.tokensRefused.inc({ code });
        log.info({ request_id: request.id, tenant, session_id: session, step, code }, "token refused");
        throw error;
      }
    },
  );
}
