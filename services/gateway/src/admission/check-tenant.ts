import { AccessRefused } from "./access-refused.ts";
import { callerOf, fieldOf, type Visit } from "./visit.ts";

/** Headers by which other systems name a tenant; here they can only agree with the token. */
const headers = ["x-tenant", "x-tenant-id", "x-soma-tenant"];
const fields = ["tenant", "tenant_id"];

/** A tenant that the request names is the token's. Metadata is the caller's own and names nobody. */
export function checkTenant(visit: Visit): void {
  if (visit.route.tenant === "any") return;
  const { request } = visit;
  const { tenant } = callerOf(visit);
  const named = [
    ...headers.map((name) => [`/headers/${name}`, request.headers[name]] as const),
    ...fields.map((name) => [`/querystring/${name}`, fieldOf(request.query, name)] as const),
    ...fields.map((name) => [`/${name}`, fieldOf(request.body, name)] as const),
  ];
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
