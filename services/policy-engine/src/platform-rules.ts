import type { EvaluateRequest } from "@soma/contracts/policy";
import { capabilities, type Capability } from "@soma/contracts/wire-names";

/** Types of resources as they stand before the colon of `resource`, and as Cedar entity types. */
export type ResourceType = "model" | "session";

/** What each action is done to. An action that is missing here does not compile. */
export const actionResources = {
  "session.start": "session",
  "session.read": "session",
  "session.cancel": "session",
  "model.complete": "model",
  "model.embed": "model",
} as const satisfies Record<Capability, ResourceType>;

/** What is to be decided, in typed and checked parts. */
export interface Target {
  readonly action: Capability;
  readonly resource: { readonly type: ResourceType; readonly id: string };
}

const resourcePattern = /^(?<type>[a-z]+):(?<id>[A-Za-z0-9][A-Za-z0-9._/:@-]{0,127})$/;

/**
 * The platform's own rules; no pack can lift them. Without an action it is `model.complete`; without a resource it is
 * `model:default` or the session itself. An action that the platform does not know, or a resource that does not fit
 * it, is denied before any pack is asked. Reads the typed fields only: nothing in `metadata` has a say here.
 *
 * @returns the target, or the reason of the denial as a text that does not repeat what the caller sent.
 */
export function resolveTarget(request: EvaluateRequest): Target | string {
  const action = request.action ?? "model.complete";
  if (!isCapability(action)) return "platform: the action is not one that the platform knows";
  const expected = actionResources[action];
  const text = request.resource ?? (expected === "model" ? "model:default" : `session:${request.session_id}`);
  const { type, id } = resourcePattern.exec(text)?.groups ?? {};
  if (type !== expected || id === undefined) return `platform: ${action} needs a resource written as ${expected}:<id>`;
  return { action, resource: { type: expected, id } };
}

function isCapability(action: string): action is Capability {
  return capabilities.some((known) => known === action);
}
