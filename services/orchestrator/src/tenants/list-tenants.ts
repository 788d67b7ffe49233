import { isTenantId } from "@soma/contracts/ids";
import type { TenantPage } from "@soma/contracts/tenant";
import { foreignCursor } from "../ledger/session-page.ts";
import type { TenantDeps } from "./tenant-deps.ts";
import { viewTenant } from "./tenant-view.ts";

/**
 * A page of all tenants, by id. A cursor names the last tenant of the page before.
 *
 * @throws DomainError VALIDATION_FAILED for a cursor that cannot be read
 */
export async function listTenants(
  { ledger }: Pick<TenantDeps, "ledger">,
  cursor: string | undefined,
  limit: number,
): Promise<TenantPage> {
  const after = cursor === undefined ? "" : Buffer.from(cursor, "base64url").toString("utf8");
  if (cursor !== undefined && !isTenantId(after)) throw foreignCursor();
  // One more than asked for says whether a next page exists.
  const found = await ledger.tenants.list({ after, limit: limit + 1 });
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return {
    tenants: rows.map((row) => viewTenant(row)),
    ...(found.length > rows.length && last && { next_cursor: Buffer.from(last.tenant, "utf8").toString("base64url") }),
  };
}
