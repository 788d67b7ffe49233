import type { ApiKeyView, CreateApiKeyRequest, CreatedApiKey, MakeApiKeyRequest } from "@soma/contracts/api-key";
import { roleCapabilities } from "@soma/contracts/roles";
import { platformTenant, type Capability } from "@soma/contracts/wire-names";
import { digestOfParts } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { managesPlatform, requireReach, type Manager } from "../access/manager.ts";
import { tenantSuspended } from "../ledger/refusals.ts";
import type { TenantRow } from "../ledger/tenant-row.ts";
import { refuse } from "../sessions/session-input.ts";
import { decideChange, type ChangeDecision } from "./decide-change.ts";
import { findTenant } from "./find-tenant.ts";
import { keyAction } from "./key-action.ts";
import { actorOf } from "./tenant-actor.ts";
import type { TenantDeps } from "./tenant-deps.ts";

/**
 * Makes an API key with rights that the manager has himself. The identity service makes it and the ledger tells of it
 * before anybody hears its secret: a key that could not be recorded opens nothing. The secret is in this answer alone.
 *
 * @throws DomainError FORBIDDEN, TENANT_NOT_FOUND, TENANT_SUSPENDED, VALIDATION_FAILED, POLICY_DENIED,
 * IDEMPOTENCY_KEY_REUSED, QUOTA_EXCEEDED, IDENTITY_UNAVAILABLE
 */
export async function createApiKey(
  deps: TenantDeps,
  manager: Manager,
  body: CreateApiKeyRequest,
  idempotencyKey: string | undefined,
): Promise<CreatedApiKey | ApiKeyView> {
  const { tenant = manager.tenant, name, role, expires_in_seconds } = body;
  requireReach(manager, "key.manage");
  const row = await findTenant(deps, manager, tenant);
  if (row.status === "suspended" && !managesPlatform(manager)) throw tenantSuspended();
  const scopes = scopesOf(manager, tenant, body);
  const decision = await decideChange(deps, manager, { action: keyAction(manager, tenant), tenant });
  const request: MakeApiKeyRequest = {
    tenant,
    name,
    role,
    scopes,
    created_by: manager.user,
    ...(expires_in_seconds !== undefined && { expires_in_seconds }),
  };
  // Keys of different tenants and users are different keys.
  const repeated = idempotencyKey && digestOfParts(manager.tenant, manager.user, idempotencyKey);
  const key = await makeKey(deps, row, request, repeated || undefined);
  await recordKey(deps, manager, key, decision);
  return key;
}

/** What is asked for, or all that the role can have and the manager has. @throws DomainError FORBIDDEN, VALIDATION_FAILED */
function scopesOf(manager: Manager, tenant: string, { role, scopes }: CreateApiKeyRequest): Capability[] {
  const ofRole: readonly Capability[] = roleCapabilities[role];
  const limit = ofRole.filter((scope) => tenant === platformTenant || scope !== "platform.manage");
  const asked = scopes ?? limit.filter((scope) => manager.scopes.includes(scope));
  for (const [index, scope] of asked.entries()) {
    if (!limit.includes(scope)) refuse(`/scopes/${String(index)}`, `is more than the role ${role} can have`);
    if (!manager.scopes.includes(scope))
      throw new DomainError("FORBIDDEN", `Nobody gives a key more than he has; your token does not carry ${scope}.`);
  }
  if (asked.length === 0)
    throw new DomainError("FORBIDDEN", `Your token carries nothing that a key of the role ${role} could have.`);
  return asked;
}

/** A tenant that the identity service was not told of yet, because it was away, is told of first. */
async function makeKey(
  deps: TenantDeps,
  row: TenantRow,
  request: MakeApiKeyRequest,
  idempotencyKey: string | undefined,
): Promise<CreatedApiKey | ApiKeyView> {
  try {
    return await deps.identityTenants.createKey(request, idempotencyKey);
  } catch (error) {
    if (!(error instanceof DomainError && error.code === "TENANT_NOT_FOUND")) throw error;
    await deps.announcer.announce(row);
    return deps.identityTenants.createKey(request, idempotencyKey);
  }
}

async function recordKey(deps: TenantDeps, manager: Manager, key: ApiKeyView, decision: ChangeDecision): Promise<void> {
  const { tenant, key_id, name, role, scopes, expires_at } = key;
  try {
    await deps.ledger.tenants.append({
      events: [
        {
          ...actorOf(manager),
          tenant,
          type: "api_key.created",
          key: `api_key.created/${key_id}`,
          data: { ...decision, key_id, name, role, scopes: [...scopes], expires_at },
        },
      ],
    });
  } catch (error) {
    // A request that came again: the key is recorded, with the decision of the first time.
    if (error instanceof DomainError && error.code === "EVENT_CONFLICT") return;
    await deps.identityTenants.revokeKey(tenant, key_id).catch((failure: unknown) => {
      deps.log.error({ tenant, err: failure }, "an API key that could not be recorded could not be revoked either");
    });
    throw error;
  }
}
