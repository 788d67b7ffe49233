import type { TenantId } from "@soma/contracts/ids";
import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";
import type { FastifyRequest } from "fastify";
import type { Authenticate } from "./authenticate.ts";
import type { Caller } from "./principal.ts";

/**
 * Tells of each request that was refused because it named another principal than its token. Returns the authentication
 * that the routes are to use, which remembers for whom a request was.
 */
export function countMismatches(
  app: Server,
  authenticate: Authenticate,
  mismatch: (tenant: TenantId) => void,
): Authenticate {
  const callers = new WeakMap<FastifyRequest, Caller>();
  app.addHook("onError", (request, _reply, error, done) => {
    const caller = callers.get(request);
    if (caller?.authn === "token" && error instanceof DomainError && error.code === "PRINCIPAL_MISMATCH")
      mismatch(caller.tenant);
    done();
  });
  return async (request) => {
    const caller = await authenticate(request);
    callers.set(request, caller);
    return caller;
  };
}
