import { isDigest, type Digest } from "@soma/contracts/ids";
import { Compile } from "typebox/compile";
import { textOf, type StoredRow } from "./stored-row.ts";
import { TenantRow } from "./tenant-row.ts";

const rowValidator = Compile(TenantRow);

/** A tenant and the end of its chain, as the next event needs them. */
export interface TenantHead {
  readonly row: TenantRow;
  readonly lastHash: Digest;
}

/** Reads the column `projection`. @throws TypeError when it is no tenant */
export function tenantRowOf(row: StoredRow): TenantRow {
  const projection: unknown = JSON.parse(textOf(row, "projection"));
  if (!rowValidator.Check(projection)) throw new TypeError("column projection is no tenant");
  return projection;
}

/** Reads a row of the tenants table. @throws TypeError when it is no tenant */
export function tenantHeadOf(row: StoredRow): TenantHead {
  const lastHash = textOf(row, "last_hash");
  if (!isDigest(lastHash)) throw new TypeError("column last_hash is no digest");
  return { row: tenantRowOf(row), lastHash };
}
