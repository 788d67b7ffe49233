import type { ApiKeyView } from "@soma/contracts/api-key";
import { isTenantId } from "@soma/contracts/ids";
import type { ApiKeyRecord } from "../state/api-key-store.ts";

/** A key as it may be shown to whoever manages the tenant's keys. */
export function viewOfKey(record: ApiKeyRecord): ApiKeyView {
  const { keyId, tenant, name, role, scopes, createdBy, createdAt, expiresAt, revokedAt, lastUsedAt } = record;
  if (!isTenantId(tenant)) throw new Error("an API key of no tenant is stored");
  return {
    key_id: keyId,
    tenant,
    name,
    role,
    scopes: [...scopes],
    created_by: createdBy,
    created_at: instant(createdAt),
    expires_at: instant(expiresAt),
    ...(revokedAt !== undefined && { revoked_at: instant(revokedAt) }),
    ...(lastUsedAt !== undefined && { last_used_at: instant(lastUsedAt) }),
  };
}

function instant(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
