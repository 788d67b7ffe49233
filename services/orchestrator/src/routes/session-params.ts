import { TenantIdSchema } from "@soma/contracts/ids";
import { Problem } from "@soma/contracts/problem";
import { Type } from "typebox";

/** A session id or a workflow id; whether it is one is the lookup's to say, so that every unknown id is a 404. */
export const SessionParams = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 200, description: "Session id or workflow id" }),
});

/** On loopback, where no token says it, the query can name the tenant that a read is bound to. */
export const TenantQuery = Type.Object({ tenant: Type.Optional(TenantIdSchema) }, { additionalProperties: false });

/** Documents the problem answers of a route. */
export function problems(...statuses: readonly number[]): Record<number, typeof Problem> {
  return Object.fromEntries(statuses.map((status) => [status, Problem]));
}
