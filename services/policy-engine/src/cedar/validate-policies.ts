import { validate, type DetailedError } from "@cedar-policy/cedar-wasm/nodejs";
import { cedarSchema } from "./schema.ts";

/** What Cedar has against a policy. `offset` is in UTF-16 units into the policy's text. */
export interface PolicyProblem {
  readonly policy: string;
  readonly offset: number;
  readonly reason: string;
}

/**
 * Parses each policy and validates it strictly against the platform's schema. Warnings count as problems: a policy
 * that can never apply is a mistake, and a `forbid` that can never apply is a hole.
 */
export function validatePolicies(policies: Readonly<Record<string, string>>): PolicyProblem[] {
  // One by one, so that a text that does not parse is blamed on the policy that holds it.
  return Object.entries(policies).flatMap(([policy, text]) => {
    const answer = validate({
      schema: cedarSchema,
      policies: { staticPolicies: { [policy]: text } },
      validationSettings: { mode: "strict" },
    });
    const found =
      answer.type === "failure"
        ? answer.errors
        : [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) => error);
    return found.map((error) => ({ policy, offset: offsetOf(error, text), reason: describe(error) }));
  });
}

/** Cedar counts bytes of UTF-8. */
function offsetOf(error: DetailedError, text: string): number {
  const start = error.sourceLocations?.[0]?.start ?? 0;
  return Buffer.from(text).subarray(0, start).toString().length;
}

function describe(error: DetailedError): string {
  return error.help === null ? error.message : `${error.message} (${error.help})`;
}
