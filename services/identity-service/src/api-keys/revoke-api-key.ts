import type { ApiKeyView } from "@soma/contracts/api-key";
import { DomainError } from "@soma/kit/domain-error";
import type { RevocationStore } from "../state/revocation-store.ts";
import { tokenLimits } from "../token-limits.ts";
import { userOfKey } from "./api-key-text.ts";
import { viewOfKey } from "./api-key-view.ts";
import type { ApiKeyDeps } from "./create-api-key.ts";

export interface RevokeKeyDeps extends ApiKeyDeps {
  readonly revocations: RevocationStore;
}

/**
 * Ends a key for good, and all that derives from it: its id is revoked like a token's, for as long as a session can go
 * on. Durable when it returns.
 */
export function endApiKey({ apiKeys, revocations, clock }: RevokeKeyDeps, keyId: string): void {
  const now = Math.floor(clock() / 1_000);
  apiKeys.inTransaction(() => {
    apiKeys.revoke(keyId, now);
    revocations.revoke(userOfKey(keyId), now + tokenLimits.lineageSeconds);
  });
}

/** Ends a key of a tenant; again is the same. @throws DomainError API_KEY_NOT_FOUND, also for another tenant's. */
export function revokeApiKey(deps: RevokeKeyDeps, tenant: string, keyId: string): ApiKeyView {
  if (deps.apiKeys.find(keyId)?.tenant !== tenant) throw notFound();
  endApiKey(deps, keyId);
  const record = deps.apiKeys.find(keyId);
  if (record === undefined) throw notFound();
  return viewOfKey(record);
}

function notFound(): DomainError {
  return new DomainError("API_KEY_NOT_FOUND", "No API key of this tenant has this id.");
}
