import { orchestratorAudience, roles } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { FastifyRequest } from "fastify";
import type { IdentityClient } from "../adapters/identity-client.ts";
import type { AuthMode } from "../settings.ts";
import type { Caller } from "./principal.ts";

/** Finds out who sends a request. @throws DomainError UNAUTHENTICATED, IDENTITY_UNAVAILABLE or FORBIDDEN. */
export type Authenticate = (request: FastifyRequest) => Promise<Caller>;

/**
 * What `AUTH_MODE` says. With `loopback`, too, a token that was sent counts, and a wrong one is refused: only who sends
 * none is nobody, and only when he comes himself – the gateway lets nobody in without one.
 */
export function authenticatorFor(
  mode: AuthMode,
  identity: IdentityClient,
  fromGateway: (request: FastifyRequest) => boolean,
): Authenticate {
  const byToken = requireToken(identity);
  if (mode === "required") return byToken;
  const byHost = trustLoopback();
  return (request) =>
    request.headers.authorization === undefined && !fromGateway(request) ? byHost(request) : byToken(request);
}

/** `AUTH_MODE=required`: the identity service verifies the caller's token, at each request. */
export function requireToken(identity: IdentityClient): Authenticate {
  return async (request) => {
    const [, token] = /^Bearer ([A-Za-z0-9_.-]{1,8192})$/.exec(request.headers.authorization ?? "") ?? [];
    if (token === undefined) throw unauthenticated();
    const claims = await identity.verify(token);
    const role = roles.find((known) => known === claims?.role);
    // A token for another service is no token here, however valid it is.
    if (!claims || role === undefined || claims.aud !== orchestratorAudience) throw unauthenticated();
    const { tenant_id: tenant, sub: user, scope, jti, origins = [] } = claims;
    return { authn: "token", tenant, user, role, scopes: scope.split(" "), token: { jti, origins } };
  };
}

/**
 * `AUTH_MODE=loopback`: nobody is authenticated, so only requests that name this machine are served; a page in a
 * browser that resolves its own name to 127.0.0.1 sends that name.
 */
export function trustLoopback(): Authenticate {
  return (request) => {
    const host = request.headers.host ?? "";
    if (!/^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/.test(host)) {
      return Promise.reject(
        new DomainError("FORBIDDEN", "Without authentication only requests to localhost are served."),
      );
    }
    return Promise.resolve({ authn: "unauthenticated-loopback" });
  };
}

function unauthenticated(): DomainError {
  return new DomainError(
    "UNAUTHENTICATED",
    "Send a valid access token for this service: authorization: Bearer <token>.",
  );
}
