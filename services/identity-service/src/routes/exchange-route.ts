import { ExchangedToken, ExchangeTokenRequest } from "@soma/contracts/identity";
import { Problem } from "@soma/contracts/problem";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";
import type { Identity } from "../identity.ts";
import { exchangeToken } from "../tokens/exchange-token.ts";
import { IdempotencyHeaders } from "./idempotency-headers.ts";

/** `POST /v1/tokens/exchange` (RFC 8693). In a scope of its own: no other route takes a form. */
export async function addExchangeRoute(app: Server, identity: Identity): Promise<void> {
  await app.register((scope: Server, _options, done) => {
    scope.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, parsed) => {
      try {
        parsed(null, readForm(body.toString()));
      } catch (error) {
        parsed(error instanceof Error ? error : new Error("unreadable"));
      }
    });
    addRoute(scope, identity);
    done();
  });
}

function addRoute(app: Server, identity: Identity): void {
  const { credentials, log, metrics } = identity;
  app.post(
    "/v1/tokens/exchange",
    {
      schema: {
        summary: "Exchanges a token for a narrower one for another service (RFC 8693); a form, or JSON",
        consumes: ["application/x-www-form-urlencoded", "application/json"],
        security: [{ bearer: [] }],
        headers: IdempotencyHeaders,
        body: ExchangeTokenRequest,
        response: { 200: ExchangedToken, 400: Problem, 401: Problem, 403: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      try {
        const service = credentials.authenticate(request.headers.authorization);
        const key = request.headers[idempotencyKeyHeader];
        const { answer, repeated } = await exchangeToken(identity, service, request.body, key);
        metrics.tokensIssued.inc({ kind: repeated ? "repeated" : "exchanged" });
        log.info({ request_id: request.id }, "token exchanged");
        // RFC 6749, section 5.1: no cache may keep a token.
        return await reply.header("cache-control", "no-store").send(answer);
      } catch (error) {
        const code = error instanceof DomainError ? error.code : "INTERNAL";
        metrics.tokensRefused.inc({ code });
        log.info({ request_id: request.id, code }, "token exchange refused");
        throw error;
      }
    },
  );
}

/** RFC 6749, section 3.2: a parameter without a value counts as left out, and none may come twice. */
function readForm(text: string): Record<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) {
      const pointer = `/${name.slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const detail = "is there twice";
      throw new DomainError("VALIDATION_FAILED", `${pointer}: ${detail}.`, { fields: [{ pointer, detail }] });
    }
    if (value !== "") fields.set(name, value);
  }
  return Object.fromEntries(fields);
}
