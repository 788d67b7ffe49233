import { ApiKeyPage, ApiKeyView, CreateApiKeyRequest, CreatedApiKey } from "@soma/contracts/api-key";
import { TenantIdSchema } from "@soma/contracts/ids";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { requireManager } from "../../access/manager.ts";
import { createApiKey } from "../../tenants/create-api-key.ts";
import { listApiKeys } from "../../tenants/list-api-keys.ts";
import { revokeApiKey } from "../../tenants/revoke-api-key.ts";
import type { RouteDeps } from "../route-deps.ts";
import { problems } from "../session-params.ts";
import { ChangeHeaders } from "./tenant-params.ts";

const closed = { additionalProperties: false } as const;
const tags = ["api keys"];
const KeyQuery = Type.Object(
  {
    tenant: Type.Optional(
      Type.Unsafe<Type.Static<typeof TenantIdSchema>>({
        ...TenantIdSchema,
        description: "Another tenant's keys, for the installation's admins; your own unless given",
      }),
    ),
  },
  closed,
);

/** `POST` and `GET /v1/api-keys`, `DELETE /v1/api-keys/{id}`. Answers are not for any cache: one holds a secret. */
export function addApiKeys(app: Server, { authenticate, tenants: deps }: RouteDeps): void {
  app.post(
    "/v1/api-keys",
    {
      schema: {
        summary: "Make an API key; its secret stands in this answer alone",
        tags,
        headers: ChangeHeaders,
        body: CreateApiKeyRequest,
        response: {
          200: { ...ApiKeyView, description: "The key of a repeated request that came too late for a secret" },
          201: CreatedApiKey,
          ...problems(400, 401, 403, 404, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const manager = requireManager(await authenticate(request));
      const key = await createApiKey(deps, manager, request.body, request.headers[idempotencyKeyHeader]);
      reply.header("cache-control", "no-store");
      return "secret" in key ? reply.code(201).send(key) : reply.code(200).send(key);
    },
  );
  app.get(
    "/v1/api-keys",
    {
      schema: {
        summary: "The tenant's API keys, without their secrets",
        tags,
        querystring: KeyQuery,
        response: { 200: ApiKeyPage, ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      const manager = requireManager(await authenticate(request));
      const keys = await listApiKeys(deps, manager, request.query.tenant ?? manager.tenant);
      return reply.header("cache-control", "no-store").send(keys);
    },
  );
  app.delete(
    "/v1/api-keys/:id",
    {
      schema: {
        summary: "End an API key, and all that was started with it",
        tags,
        params: Type.Object({ id: ApiKeyView.properties.key_id }, closed),
        querystring: KeyQuery,
        response: { 200: ApiKeyView, ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      const manager = requireManager(await authenticate(request));
      const key = await revokeApiKey(deps, manager, request.query.tenant ?? manager.tenant, request.params.id);
      return reply.header("cache-control", "no-store").send(key);
    },
  );
}
