import { isSessionId, isUserId, type SessionId, type TenantId, type UserId } from "@soma/contracts/ids";
import type { StopRequest, StopScope } from "@soma/contracts/stop";
import { platformTenant } from "@soma/contracts/wire-names";
import { requirePlatform, requireReach, type Manager } from "../access/manager.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { refuse } from "../sessions/session-input.ts";

/** What is to be stopped. */
export type StopOrder =
  | { readonly scope: "session"; readonly tenant: TenantId; readonly sessionId: SessionId }
  | { readonly scope: "user"; readonly tenant: TenantId; readonly user: UserId }
  | { readonly scope: "agent"; readonly tenant: TenantId; readonly agent: string }
  | { readonly scope: "tenant"; readonly tenant: TenantId }
  | { readonly scope: "all" };

/**
 * Reads who asks for what. All tenants, and another one than his own, are the installation's admins' to stop.
 *
 * @throws DomainError FORBIDDEN, VALIDATION_FAILED
 */
export function readStopOrder(manager: Manager, { scope, target, tenant = manager.tenant }: StopRequest): StopOrder {
  requireReach(manager, "session.stop");
  if (scope === "all") requirePlatform(manager);
  if (scope === "tenant" || scope === "all") {
    if (target !== undefined) refuse("/target", `is not accepted with scope ${scope}`);
    return scope === "all" ? { scope } : { scope, tenant };
  }
  const id = target ?? refuse("/target", `is required with scope ${scope}`);
  switch (scope) {
    case "session":
      return { scope, tenant, sessionId: isSessionId(id) ? id : refuse("/target", "is no session id") };
    case "user":
      return { scope, tenant, user: isUserId(id) ? id : refuse("/target", "is no user id") };
    case "agent":
      return { scope, tenant, agent: id };
  }
}

/** Whose ledger tells of it. */
export function ledgerOf(order: StopOrder): string {
  return order.scope === "all" ? platformTenant : order.tenant;
}

export function isInScope(order: StopOrder, row: SessionRow): boolean {
  switch (order.scope) {
    case "session":
      return row.session_id === order.sessionId;
    case "user":
      return row.user === order.user;
    case "agent":
      return row.agent === order.agent;
    case "tenant":
    case "all":
      return true;
  }
}

/**
 * Whether the tokens of callers end, too. With one token somebody may have started sessions outside of the scope: those
 * of one user, of a tenant or of all are inside.
 */
export const endsLogins = {
  session: false,
  agent: false,
  user: true,
  tenant: true,
  all: true,
} as const satisfies Record<StopScope, boolean>;
