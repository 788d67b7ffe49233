import { TenantAdmission, TenantPage, TenantView } from "@soma/contracts/tenant";
import { TenantEventPage } from "@soma/contracts/tenant-events";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { requireManager, requirePlatform, requireReach } from "../../access/manager.ts";
import { requireGateway } from "../../access/require-gateway.ts";
import { tenantNotFound } from "../../ledger/refusals.ts";
import { findTenant } from "../../tenants/find-tenant.ts";
import { listTenants } from "../../tenants/list-tenants.ts";
import { usageNow, viewTenant } from "../../tenants/tenant-view.ts";
import type { RouteDeps } from "../route-deps.ts";
import { problems } from "../session-params.ts";
import { TenantParams } from "./tenant-params.ts";

const closed = { additionalProperties: false } as const;
const tags = ["tenants"];
const ListQuery = Type.Object(
  {
    cursor: Type.Optional(Type.String({ maxLength: 128 })),
    limit: Type.Optional(
      Type.String({ pattern: "^([1-9]|[1-9][0-9]|100)$", description: "1 to 100; 20 unless given" }),
    ),
  },
  closed,
);
const EventsQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({ pattern: "^(0|[1-9][0-9]{0,14})$", description: "Events after this `sequence`; 0 unless given" }),
    ),
    limit: Type.Optional(
      Type.String({ pattern: "^([1-9][0-9]{0,2}|1000)$", description: "1 to 1000; 100 unless given" }),
    ),
  },
  closed,
);

/** `GET /v1/tenants`, `GET /v1/tenants/{tenant}`, and `/events` and `/admission` of one. */
export function addReadTenants(app: Server, { authenticate, fromGateway, tenants: deps }: RouteDeps): void {
  app.get(
    "/v1/tenants",
    {
      schema: {
        summary: "All tenants, by id; for the installation's admins",
        tags,
        querystring: ListQuery,
        response: { 200: TenantPage, ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => {
      requirePlatform(requireManager(await authenticate(request)));
      const { cursor, limit = "20" } = request.query;
      return listTenants(deps, cursor, Number(limit));
    },
  );
  app.get(
    "/v1/tenants/:tenant",
    {
      schema: {
        summary: "A tenant: what it is set to and what it uses",
        tags,
        params: TenantParams,
        response: { 200: TenantView, ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const manager = requireManager(await authenticate(request));
      requireReach(manager, "tenant.read");
      const row = await findTenant(deps, manager, request.params.tenant);
      return viewTenant(row, await usageNow(deps, row.tenant));
    },
  );
  app.get(
    "/v1/tenants/:tenant/events",
    {
      schema: {
        summary: "The tenant's own ledger, as pages",
        tags,
        params: TenantParams,
        querystring: EventsQuery,
        response: { 200: TenantEventPage, ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const manager = requireManager(await authenticate(request));
      requireReach(manager, "ledger.read");
      const { tenant, last_seq } = await findTenant(deps, manager, request.params.tenant);
      const [after, limit] = [Number(request.query.after ?? 0), Number(request.query.limit ?? 100)];
      const events = await deps.ledger.tenants.readEvents({ tenant, after, limit });
      const last = events.at(-1);
      return {
        tenant,
        events: [...events],
        ...(last && events.length === limit && last.sequence < last_seq && { next_after: last.sequence }),
      };
    },
  );
  app.get(
    "/v1/tenants/:tenant/admission",
    {
      schema: {
        summary: "What the gateway needs of a tenant to admit a request; for the gateway alone",
        tags,
        security: [],
        params: TenantParams,
        response: { 200: TenantAdmission, ...problems(400, 403, 404, 503) },
      },
    },
    async (request) => {
      requireGateway(fromGateway, request);
      const row = await deps.ledger.tenants.find(request.params.tenant);
      if (row === undefined) throw tenantNotFound();
      const { tenant, status, settings } = row;
      return { tenant, status, quotas: settings.quotas, usage: { ...(await usageNow(deps, tenant)) } };
    },
  );
}
