import {
  policyToJson,
  preparsePolicySet,
  statefulIsAuthorized,
  type EntityJson,
} from "@cedar-policy/cedar-wasm/nodejs";
import type { EvaluateRequest } from "@soma/contracts/policy";
import { canonicalJson } from "@soma/kit/digest";
import type { PackAuthorization } from "../packs/pack-schema.ts";
import type { Target } from "../platform-rules.ts";
import { resourceEntities } from "./schema.ts";

/** Cedar's answer; `policies` are the ids of those that decided it or, for `failed`, that could not be evaluated. */
export interface Authorization {
  readonly outcome: "permitted" | "forbidden" | "not_permitted" | "failed";
  readonly policies: readonly string[];
}

export interface Authorizer {
  /** How many policies it holds. */
  readonly size: number;
  /** What a policy says of itself in `@reason("…")`. */
  reasonOf(policy: string): string | undefined;
  authorize(request: EvaluateRequest, target: Target): Authorization;
}

/**
 * Parses a pack's policies once, into Cedar's cache, under `slot`. That cache has no removal, so slots are used again:
 * see `pack-store.ts`. The policies must have passed `validatePolicies`, but nothing here relies on it.
 *
 * @throws Error when the policies do not parse.
 */
export function createAuthorizer(slot: string, authorization: PackAuthorization): Authorizer {
  const { policies, groups = {}, models = {} } = authorization;
  // By id: an array or one text would lose the ids that denials are explained with.
  const parsed = preparsePolicySet(slot, { staticPolicies: policies });
  if (parsed.type === "failure") throw new Error(parsed.errors.map(({ message }) => message).join("; "));
  const reasons = new Map(Object.entries(policies).map(([id, text]) => [id, readReason(text)]));
  return {
    size: reasons.size,
    reasonOf: (policy) => reasons.get(policy),
    authorize(request, target) {
      const user = { type: "User", id: `${request.tenant}/${request.user}` };
      const resource = { type: resourceEntities[target.resource.type], id: target.resource.id };
      const metadata = { type: "Metadata", id: "request" };
      const labels = Object.hasOwn(models, target.resource.id) ? models[target.resource.id]?.labels : undefined;
      const entities: EntityJson[] = [
        {
          uid: user,
          attrs: { tenant: request.tenant, name: request.user, role: request.role },
          parents: [
            { type: "Role", id: request.role },
            ...Object.entries(groups)
              .filter(([, users]) => users.some((member) => member === request.user))
              .map(([group]) => ({ type: "Group", id: group })),
          ],
        },
        { uid: metadata, attrs: {}, parents: [], tags: toTags(request.metadata) },
      ];
      // A model that the pack does not describe has no entity: a policy that asks for its labels fails, and denies.
      if (target.resource.type === "model" && labels) entities.push({ uid: resource, attrs: { labels }, parents: [] });
      const answer = statefulIsAuthorized({
        preparsedPolicySetId: slot,
        principal: user,
        action: { type: "Action", id: target.action },
        resource,
        context: {
          session_id: request.session_id,
          prompt_chars: request.prompt.length,
          metadata: { __entity: metadata },
        },
        entities,
      });
      if (answer.type === "failure") return { outcome: "failed", policies: [] };
      const { decision, diagnostics } = answer.response;
      // Cedar leaves out a policy that errors, a `forbid` too, and may still answer allow: any error is a denial.
      if (diagnostics.errors.length > 0)
        return { outcome: "failed", policies: diagnostics.errors.map(({ policyId }) => policyId).toSorted() };
      const deciding = diagnostics.reason.toSorted();
      if (decision === "allow") return { outcome: "permitted", policies: deciding };
      return { outcome: deciding.length > 0 ? "forbidden" : "not_permitted", policies: deciding };
    },
  };
}

/** Empties a slot, so that the policies of a pack that is gone do not stay in memory. */
export function releaseSlot(slot: string): void {
  preparsePolicySet(slot, { staticPolicies: {} });
}

/** Tags are text: what is not, is there as its JSON. So no value can pass for an entity or an extension type. */
function toTags(metadata: EvaluateRequest["metadata"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [key, typeof value === "string" ? value : canonicalJson(value)]),
  );
}

function readReason(policy: string): string | undefined {
  const answer = policyToJson(policy);
  return answer.type === "success" ? answer.json.annotations?.["reason"] : undefined;
}
