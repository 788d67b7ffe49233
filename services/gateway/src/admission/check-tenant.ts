import { AccessRefused } from "./access-refused.ts";
import { callerOf, fieldOf, type Visit } from "./visit.ts";

/** Headers by which other systems name a tenant; here they can only agree with the token. */
const headers = ["x-tenant", "x-tenant-id", "x-soma-tenant"];
const fields = ["tenant", "tenant_id"];

/**
 * A tenant that the request names is the token's. Metadata is the caller's own and names nobody. Some routes
 * about tenants name another one in one place, and whoever answers them decides.
 */
export function checkTenant(visit: Visit): void {
  const { request, route } = visit;
  const { tenant } = callerOf(visit);
  const named = headers.map((name): readonly [string, unknown] => [`/headers/${name}`, request.headers[name]]);
  for (const name of fields) {
    if (route.namesTenant !== "query") named.push([`/querystring/${name}`, fieldOf(request.query, name)]);
    if (route.namesTenant !== "body") named.push([`/${name}`, fieldOf(request.body, name)]);
  }
  for (const [pointer, value] of named) {
    if (value === undefined || value === tenant) continue;
    // A list, or a body's number, is for the schema to refuse, unless it names somebody else on the way.
    if (typeof value !== "string" && !Array.isArray(value)) continue;
    const detail = "names another principal than the token; leave it out";
    throw new AccessRefused("tenant_mismatch", "PRINCIPAL_MISMATCH", `${pointer} ${detail}.`, {
      fields: [{ pointer, detail }],
    });
  }
}
