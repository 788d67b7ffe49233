import { ApiKeyPage, ApiKeyView, CreatedApiKey, type MakeApiKeyRequest } from "@soma/contracts/api-key";
import { isErrorCode, type ErrorCode } from "@soma/contracts/error-codes";
import { Problem } from "@soma/contracts/problem";
import { KnownTenant, type TenantEntry } from "@soma/contracts/tenant";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { Upstream, UpstreamError, type UpstreamAnswer } from "@soma/kit/upstream";
import type { Type } from "typebox";
import { Value } from "typebox/value";
import { badResponse, readCredential, unavailable } from "./identity-client.ts";

const deadlineMs = 1_000;

/** What the identity service must know of tenants, and the keys that it makes for them. */
export interface IdentityTenants {
  /** What is in force there afterwards: this, or something newer. @throws DomainError IDENTITY_UNAVAILABLE or IDENTITY_BAD_RESPONSE. */
  announce(tenant: string, entry: TenantEntry): Promise<KnownTenant>;
  /**
   * The key with its secret, or without it when a repeated request comes too late for one.
   * @throws DomainError TENANT_NOT_FOUND, VALIDATION_FAILED, IDEMPOTENCY_KEY_REUSED, QUOTA_EXCEEDED, or as {@link announce}.
   */
  createKey(request: MakeApiKeyRequest, idempotencyKey: string | undefined): Promise<CreatedApiKey | ApiKeyView>;
  /** @throws DomainError as {@link announce}. */
  listKeys(tenant: string): Promise<ApiKeyPage>;
  /** @throws DomainError API_KEY_NOT_FOUND, or as {@link announce}. */
  revokeKey(tenant: string, keyId: string): Promise<ApiKeyView>;
  close(): Promise<void>;
}

/** `credentialFile` is read at each call, so that a rotated credential needs no restart. */
export function createIdentityTenants(base: URL, credentialFile: string): IdentityTenants {
  const upstream = new Upstream({ name: "identity-service", origin: base.origin, deadlineMs, connections: 8 });
  const prefix = base.pathname.replace(/\/$/, "");

  async function call(
    ask: (headers: Record<string, string>) => Promise<UpstreamAnswer>,
    refusals: readonly ErrorCode[] = [],
  ): Promise<UpstreamAnswer> {
    try {
      const answer = await ask({ authorization: `Bearer ${readCredential(credentialFile)}` });
      if (answer.status === 200 || answer.status === 201) return answer;
      throw refusalOf(answer, refusals);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      throw error.fault === "unavailable" ? unavailable(error) : badResponse(error.message);
    }
  }

  return {
    async announce(tenant, entry) {
      const answer = await call((headers) => upstream.putJson(`${prefix}/v1/tenants/${tenant}`, entry, { headers }));
      return read(KnownTenant, answer, "a tenant");
    },
    async createKey(request, idempotencyKey) {
      const answer = await call(
        (headers) =>
          upstream.postJson(`${prefix}/v1/api-keys`, request, {
            headers: { ...headers, ...(idempotencyKey !== undefined && { [idempotencyKeyHeader]: idempotencyKey }) },
          }),
        ["TENANT_NOT_FOUND", "VALIDATION_FAILED", "IDEMPOTENCY_KEY_REUSED", "QUOTA_EXCEEDED"],
      );
      return answer.status === 201 ? read(CreatedApiKey, answer, "a new key") : read(ApiKeyView, answer, "a key");
    },
    async listKeys(tenant) {
      const answer = await call((headers) =>
        upstream.getJson(`${prefix}/v1/api-keys?tenant=${encodeURIComponent(tenant)}`, { headers }),
      );
      return read(ApiKeyPage, answer, "a list of keys");
    },
    async revokeKey(tenant, keyId) {
      const answer = await call(
        (headers) => upstream.deleteJson(`${prefix}/v1/api-keys/${tenant}/${keyId}`, { headers }),
        ["API_KEY_NOT_FOUND"],
      );
      return read(ApiKeyView, answer, "a key");
    },
    close: () => upstream.close(),
  };
}

function read<Schema extends Type.TSchema>(
  schema: Schema,
  { body }: UpstreamAnswer,
  what: string,
): Type.Static<Schema> {
  if (!Value.Check(schema, body)) throw badResponse(`${what} that does not fit the contract`);
  return body;
}

/** What the caller is to blame for goes back to him, in our words; all else is between the services. */
function refusalOf({ status, body }: UpstreamAnswer, refusals: readonly ErrorCode[]): DomainError {
  const code = Value.Check(Problem, body) && isErrorCode(body.code) ? body.code : undefined;
  const known = refusals.find((refusal) => refusal === code);
  if (known !== undefined) return new DomainError(known, words[known] ?? "The identity service refused this.");
  if (status >= 500 || status === 429) return unavailable(new Error(`identity-service answered ${String(status)}`));
  return badResponse(`status ${String(status)}`);
}

const words: Partial<Record<ErrorCode, string>> = {
  TENANT_NOT_FOUND: "No tenant has this id.",
  VALIDATION_FAILED: "A key of this role cannot have these scopes.",
  IDEMPOTENCY_KEY_REUSED: "The idempotency key was used with another body.",
  QUOTA_EXCEEDED: "The tenant has as many API keys as it can; revoke others first.",
  API_KEY_NOT_FOUND: "No API key of the tenant has this id.",
};
