import type { Transport } from "./transport.ts";

/** Without tokens the query names the tenant. */
export function inTenant({ tenant }: Transport): { query: { tenant?: string } } {
  return { query: tenant === undefined ? {} : { tenant } };
}
