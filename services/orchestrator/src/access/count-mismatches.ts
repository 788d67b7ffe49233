import type { ErrorCode } from "@soma/contracts/error-codes";
import type { TenantId } from "@soma/contracts/ids";
import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";
import type { FastifyRequest } from "fastify";
import type { CountedRefusal } from "../tenants/refusal-tally.ts";
import type { Authenticate } from "./authenticate.ts";
import type { Caller } from "./principal.ts";

/**
 * Tells of each request that was refused because it named another principal than its token, and of each approval that has
 * no ledger of a session to stand in. Returns the authentication
 * that the routes are to use, which remembers for whom a request was.
 */
export function countMismatches(
  app: Server,
  authenticate: Authenticate,
  refused: (tenant: TenantId, reason: CountedRefusal) => void,
): Authenticate {
  const callers = new WeakMap<FastifyRequest, Caller>();
  app.addHook("onError", (request, _reply, error, done) => {
    const caller = callers.get(request);
    const reason = error instanceof DomainError ? reasonOf(error.code, request.routeOptions.url) : undefined;
    if (caller?.authn === "token" && reason !== undefined) refused(caller.tenant, reason);
    done();
  });
  return async (request) => {
    const caller = await authenticate(request);
    callers.set(request, caller);
    return caller;
  };
}

/** A refusal that stands in a session's ledger as well is counted twice rather than never. */
function reasonOf(code: ErrorCode, url = ""): CountedRefusal | undefined {
  if (code === "PRINCIPAL_MISMATCH") return "tenant_mismatch";
  const decides = url.endsWith("/actions/approve") || url.endsWith("/actions/deny");
  return decides && (code === "SESSION_NOT_FOUND" || code === "ACTION_NOT_ALLOWED") ? "approval" : undefined;
}
