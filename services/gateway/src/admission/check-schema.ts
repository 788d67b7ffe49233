import { toDomainError } from "@soma/kit/problem-response";
import { AccessRefused } from "./access-refused.ts";
import type { Visit } from "./visit.ts";

/**
 * The body fits the schema that the answerer has, too. The server has held it against the route's schema already; here
 * it is refused, after all that comes before.
 */
export function checkSchema({ request, route }: Visit): void {
  const { validationError } = request;
  if (validationError === undefined) return;
  const { code, message, fields } = toDomainError(validationError, { body: route.body });
  throw new AccessRefused("schema", code, message, { fields });
}
