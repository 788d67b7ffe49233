import type { FastifyRequest } from "fastify";
import type { Authenticate } from "../access/authenticate.ts";
import type { SessionDeps } from "../sessions/session-deps.ts";
import type { StreamRegistry } from "../streams/stream-registry.ts";
import type { TenantDeps } from "../tenants/tenant-deps.ts";

/** What the routes need: each has the same steps – parse, authenticate, authorize, one use case, map. */
export interface RouteDeps extends SessionDeps {
  readonly authenticate: Authenticate;
  readonly streams: StreamRegistry;
  /** True for a request that came through the gateway, for certain: it carried a valid hop token. */
  readonly fromGateway: (request: FastifyRequest) => boolean;
  readonly tenants: TenantDeps;
}
