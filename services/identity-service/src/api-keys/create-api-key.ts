import type { ApiKeyView, CreatedApiKey, MakeApiKeyRequest } from "@soma/contracts/api-key";
import { digestOf } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import type { Principals } from "../principals/principals.ts";
import { roleLimit } from "../principals/role-limit.ts";
import type { ApiKeyRecord, ApiKeyStore, KeyRequest } from "../state/api-key-store.ts";
import { apiKeyLimits } from "./api-key-limits.ts";
import { makeKeyId, makeSecret } from "./api-key-text.ts";
import { viewOfKey } from "./api-key-view.ts";

export interface ApiKeyDeps {
  readonly apiKeys: ApiKeyStore;
  readonly principals: Principals;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/**
 * Makes an API key. Asked again with the same idempotency key, because no answer came, it gives the same key with
 * another secret, and the lost one opens nothing: for ten minutes, and while the key was not used. After that somebody
 * has the secret, and the repetition gets the key without one.
 *
 * @throws DomainError TENANT_NOT_FOUND, VALIDATION_FAILED for a scope beyond the role, IDEMPOTENCY_KEY_REUSED,
 *   QUOTA_EXCEEDED.
 */
export function createApiKey(
  deps: ApiKeyDeps,
  request: MakeApiKeyRequest,
  idempotencyKey: string | undefined,
): CreatedApiKey | ApiKeyView {
  const { apiKeys, principals } = deps;
  if (!principals.knowsTenant(request.tenant)) throw new DomainError("TENANT_NOT_FOUND", "No tenant has this id.");
  assertWithinRole(request);
  const now = Math.floor(deps.clock() / 1_000);
  const asked = idempotencyKey === undefined ? undefined : { key: idempotencyKey, digest: digestOf(request) };
  return apiKeys.inTransaction(() => {
    const found = asked && apiKeys.findByRequest(request.tenant, asked.key, now - apiKeyLimits.repeatSeconds);
    if (found === undefined) return insert(deps, request, asked, now);
    if (found.requestDigest !== asked?.digest)
      throw new DomainError(
        "IDEMPOTENCY_KEY_REUSED",
        "The Idempotency-Key was used for another request; take a new one.",
      );
    return repeat(deps, found, now);
  });
}

function insert(
  { apiKeys }: ApiKeyDeps,
  {
    tenant,
    name,
    role,
    scopes,
    expires_in_seconds: lifetime = apiKeyLimits.defaultSeconds,
    created_by,
  }: MakeApiKeyRequest,
  asked: KeyRequest | undefined,
  now: number,
): CreatedApiKey {
  if (apiKeys.countLive(tenant, now) >= apiKeyLimits.liveKeys)
    throw new DomainError(
      "QUOTA_EXCEEDED",
      `A tenant has ${String(apiKeyLimits.liveKeys)} API keys at most; end others first.`,
    );
  const record: ApiKeyRecord = {
    keyId: makeKeyId(),
    tenant,
    name,
    role,
    scopes,
    createdBy: created_by,
    createdAt: now,
    expiresAt: now + lifetime,
    revokedAt: undefined,
    lastUsedAt: undefined,
  };
  const { text, secretDigest } = makeSecret(record.keyId);
  apiKeys.insert(record, secretDigest, asked);
  return { ...viewOfKey(record), secret: text };
}

function repeat({ apiKeys }: ApiKeyDeps, record: ApiKeyRecord, now: number): CreatedApiKey | ApiKeyView {
  if (now >= record.createdAt + apiKeyLimits.secretSeconds) return viewOfKey(record);
  const { text, secretDigest } = makeSecret(record.keyId);
  const replaced = apiKeys.replaceSecret(record.keyId, secretDigest);
  return replaced ? { ...viewOfKey(record), secret: text } : viewOfKey(record);
}

function assertWithinRole({ tenant, role, scopes }: MakeApiKeyRequest): void {
  const limit = roleLimit(tenant, role);
  const index = scopes.findIndex((scope) => !limit.has(scope));
  if (index === -1) return;
  const pointer = `/scopes/${String(index)}`;
  const detail = `is more than the role ${role} can have here`;
  throw new DomainError("VALIDATION_FAILED", `${pointer}: ${detail}.`, { fields: [{ pointer, detail }] });
}
