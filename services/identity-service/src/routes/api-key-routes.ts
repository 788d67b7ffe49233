import { ApiKeyPage, ApiKeyView, CreatedApiKey, MakeApiKeyRequest } from "@soma/contracts/api-key";
import { TenantIdSchema } from "@soma/contracts/ids";
import { Problem } from "@soma/contracts/problem";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { apiKeyLimits } from "../api-keys/api-key-limits.ts";
import { viewOfKey } from "../api-keys/api-key-view.ts";
import { createApiKey } from "../api-keys/create-api-key.ts";
import { revokeApiKey } from "../api-keys/revoke-api-key.ts";
import type { Identity } from "../identity.ts";
import { requireTenantManager } from "../tenants/require-tenant-manager.ts";
import { IdempotencyHeaders } from "./idempotency-headers.ts";

const closed = { additionalProperties: false } as const;
const security = [{ bearer: [] }];

/** `/v1/api-keys`: for the service that keeps the tenants; who may have which key was decided there. */
export function addApiKeyRoutes(app: Server, identity: Identity): void {
  const { apiKeys, log, metrics } = identity;
  app.post(
    "/v1/api-keys",
    {
      schema: {
        summary: "Makes an API key and shows its secret once; repeated, it gives another one until the key is used",
        security,
        headers: IdempotencyHeaders,
        body: MakeApiKeyRequest,
        response: {
          200: ApiKeyView,
          201: CreatedApiKey,
          400: Problem,
          401: Problem,
          403: Problem,
          404: Problem,
          422: Problem,
          429: Problem,
        },
      },
    },
    async (request, reply) => {
      requireTenantManager(identity, request.headers.authorization);
      const answer = createApiKey(identity, request.body, request.headers[idempotencyKeyHeader]);
      reply.header("cache-control", "no-store");
      if (!("secret" in answer)) return reply.code(200).send(answer);
      metrics.apiKeys.inc({ change: "made" });
      log.info({ request_id: request.id, tenant: answer.tenant }, "API key made");
      return reply.code(201).send(answer);
    },
  );

  app.get(
    "/v1/api-keys",
    {
      schema: {
        summary: "A tenant's API keys, the newest first, without their secrets",
        security,
        querystring: Type.Object({ tenant: TenantIdSchema }, closed),
        response: { 200: ApiKeyPage, 400: Problem, 401: Problem, 403: Problem },
      },
    },
    async (request, reply) => {
      requireTenantManager(identity, request.headers.authorization);
      const keys = apiKeys.list(request.query.tenant, apiKeyLimits.listedKeys).map((record) => viewOfKey(record));
      return reply.header("cache-control", "no-store").send({ keys });
    },
  );

  app.delete(
    "/v1/api-keys/:tenant/:key_id",
    {
      schema: {
        summary: "Ends an API key and all that derives from it",
        security,
        params: Type.Object({ tenant: TenantIdSchema, key_id: ApiKeyView.properties.key_id }, closed),
        response: { 200: ApiKeyView, 400: Problem, 401: Problem, 403: Problem, 404: Problem },
      },
    },
    async (request, reply) => {
      requireTenantManager(identity, request.headers.authorization);
      const { tenant, key_id: keyId } = request.params;
      const view = revokeApiKey(identity, tenant, keyId);
      metrics.apiKeys.inc({ change: "revoked" });
      log.info({ request_id: request.id, tenant }, "API key revoked");
      return reply.header("cache-control", "no-store").send(view);
    },
  );
}
