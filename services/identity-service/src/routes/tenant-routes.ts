import { TenantIdSchema } from "@soma/contracts/ids";
import { Problem } from "@soma/contracts/problem";
import { KnownTenant, TenantEntry } from "@soma/contracts/tenant";
import { DomainError } from "@soma/kit/domain-error";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import type { Identity } from "../identity.ts";
import { requireTenantManager } from "../tenants/require-tenant-manager.ts";

const Params = Type.Object({ tenant: TenantIdSchema }, { additionalProperties: false });
const security = [{ bearer: [] }];

/** `/v1/tenants/{tenant}`: the service that keeps the tenants says here what of them this one must know. */
export function addTenantRoutes(app: Server, identity: Identity): void {
  const { log, tenants } = identity;
  app.put(
    "/v1/tenants/:tenant",
    {
      schema: {
        summary:
          "Takes a tenant's status and trusted issuers over, unless a newer version is known; says what is in force",
        security,
        params: Params,
        body: TenantEntry,
        response: { 200: KnownTenant, 400: Problem, 401: Problem, 403: Problem },
      },
    },
    async (request, reply) => {
      requireTenantManager(identity, request.headers.authorization);
      const { tenant } = request.params;
      tenants.put(tenant, request.body);
      const known = tenants.find(tenant);
      if (known === undefined) throw new Error("a tenant that was stored is gone");
      log.info({ request_id: request.id, tenant, seq: known.version }, "tenant taken over");
      return reply.send({ tenant, ...known });
    },
  );

  app.get(
    "/v1/tenants/:tenant",
    {
      schema: {
        summary: "What is known of a tenant here",
        security,
        params: Params,
        response: { 200: KnownTenant, 400: Problem, 401: Problem, 403: Problem, 404: Problem },
      },
    },
    async (request, reply) => {
      requireTenantManager(identity, request.headers.authorization);
      const { tenant } = request.params;
      const known = tenants.find(tenant);
      if (known === undefined) throw new DomainError("TENANT_NOT_FOUND", "Nobody has told of a tenant with this id.");
      return reply.send({ tenant, ...known });
    },
  );
}
