import { CreateTenantRequest, TenantActionRequest, TenantView, UpdateTenantRequest } from "@soma/contracts/tenant";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import type { Server } from "@soma/kit/server";
import { requireManager, requirePlatform } from "../../access/manager.ts";
import { createTenant } from "../../tenants/create-tenant.ts";
import { switchTenant } from "../../tenants/switch-tenant.ts";
import { updateTenant } from "../../tenants/update-tenant.ts";
import type { RouteDeps } from "../route-deps.ts";
import { problems } from "../session-params.ts";
import { ChangeHeaders, TenantParams } from "./tenant-params.ts";

const tags = ["tenants"];
const changeProblems = problems(400, 401, 403, 404, 409, 413, 415, 422, 503);

/** `POST /v1/tenants`, `PATCH /v1/tenants/{tenant}`, and `/suspend` and `/resume` of one. */
export function addChangeTenants(app: Server, { authenticate, tenants: deps }: RouteDeps): void {
  app.post(
    "/v1/tenants",
    {
      schema: {
        summary: "Make a tenant",
        tags,
        headers: ChangeHeaders,
        body: CreateTenantRequest,
        response: { 201: TenantView, ...changeProblems },
      },
    },
    async (request, reply) => {
      const manager = requireManager(await authenticate(request));
      requirePlatform(manager);
      return reply
        .code(201)
        .send(await createTenant(deps, manager, request.body, request.headers[idempotencyKeyHeader]));
    },
  );
  app.patch(
    "/v1/tenants/:tenant",
    {
      schema: {
        summary: "Change what a tenant is set to",
        tags,
        params: TenantParams,
        headers: ChangeHeaders,
        body: UpdateTenantRequest,
        response: { 200: TenantView, ...changeProblems },
      },
    },
    async (request) => {
      const manager = requireManager(await authenticate(request));
      const key = request.headers[idempotencyKeyHeader];
      return updateTenant(deps, manager, request.params.tenant, request.body, key);
    },
  );
  const actions = [
    {
      name: "suspend",
      summary: "Suspend a tenant: nothing starts, running work pauses, reads go on",
    },
    { name: "resume", summary: "End a suspension; what paused goes on by itself" },
  ] as const;
  for (const { name, summary } of actions) {
    app.post(
      `/v1/tenants/:tenant/${name}`,
      {
        schema: {
          summary,
          tags,
          params: TenantParams,
          headers: ChangeHeaders,
          body: TenantActionRequest,
          response: { 200: TenantView, ...changeProblems },
        },
      },
      async (request) => {
        const manager = requireManager(await authenticate(request));
        requirePlatform(manager);
        const { body, headers } = request;
        const idempotencyKey = headers[idempotencyKeyHeader];
        return switchTenant(deps, manager, request.params.tenant, { action: name, body, idempotencyKey });
      },
    );
  }
}
