import { defaultQuotas, type TenantQuotas, type TenantSettings } from "@soma/contracts/tenant";
import type { TenantNewEvent } from "@soma/contracts/tenant-events";
import type { TenantCreated } from "../../src/ledger/tenant-store.ts";

const decided = { decision_id: "decision-1", policy_version: "v1" };

export function settingsOf(quotas: Partial<TenantQuotas> = {}): TenantSettings {
  return { quotas: { ...defaultQuotas, ...quotas }, issuers: [] };
}

/** As an admin of the installation makes a tenant. */
export function tenantCreated(tenant: string, quotas: Partial<TenantQuotas> = {}): TenantCreated {
  return {
    ...changeOf(tenant),
    type: "tenant.created",
    key: "tenant.created",
    data: { ...decided, settings: settingsOf(quotas) },
  };
}

/** As the service makes one that the identity service knows. */
export function tenantFound(tenant: string, quotas: Partial<TenantQuotas> = {}): TenantCreated {
  return {
    ...tenantCreated(tenant),
    user: "service:orchestrator",
    authn: "service",
    data: { settings: settingsOf(quotas) },
  };
}

export function tenantUpdated(tenant: string, key: string, quotas: Partial<TenantQuotas>): TenantNewEvent {
  return { ...changeOf(tenant), type: "tenant.updated", key, data: { ...decided, settings: settingsOf(quotas) } };
}

export function tenantSuspended(tenant: string, key = "suspend-1"): TenantNewEvent {
  return { ...changeOf(tenant), type: "tenant.suspended", key, data: { ...decided, reason: "unpaid" } };
}

export function tenantResumed(tenant: string, key = "resume-1"): TenantNewEvent {
  return { ...changeOf(tenant), type: "tenant.resumed", key, data: decided };
}

export function accessRefused(tenant: string, key: string, count = 3): TenantNewEvent {
  const times = { first_at: "2026-03-01T00:00:00.000Z", last_at: "2026-03-01T00:00:09.000Z" };
  return {
    ...changeOf(tenant),
    user: "service:gateway",
    authn: "service",
    type: "access.refused",
    key,
    data: { reason: "signature", count, ...times },
  };
}

/** One event of each type that can follow the creation. */
export function tenantStory(tenant: string): TenantNewEvent[] {
  const base = changeOf(tenant);
  const key = { key_id: "abcdefgh12345678", name: "ci", role: "operator" };
  const expires_at = "2026-06-01T00:00:00.000Z";
  return [
    tenantUpdated(tenant, "update-1", { streams: 7 }),
    {
      ...base,
      type: "api_key.created",
      key: "key-1",
      data: { ...decided, ...key, scopes: ["session.read"], expires_at },
    },
    { ...base, type: "change.denied", key: "denied-1", data: { ...decided, action: "key.manage", reasons: ["no"] } },
    tenantSuspended(tenant),
    accessRefused(tenant, "report-1"),
    tenantResumed(tenant),
    { ...base, type: "api_key.revoked", key: "key-1/revoked", data: { ...decided, key_id: key.key_id } },
  ];
}

function changeOf(tenant: string): Pick<TenantNewEvent, "tenant" | "user" | "agent" | "authn"> {
  return { tenant, user: "root", agent: "orchestrator", authn: "token" };
}
