import { AccessRefused } from "./access-refused.ts";
import { callerOf, type Visit } from "./visit.ts";

/** The token carries one of the capabilities that the route names. */
export function checkScope(visit: Visit): void {
  const { needs } = visit.route;
  const { scopes } = callerOf(visit);
  if (needs === "open" || needs.some((capability) => scopes.includes(capability))) return;
  throw new AccessRefused("scope", "FORBIDDEN", `The token does not carry the scope ${needs.join(" or ")}.`);
}
