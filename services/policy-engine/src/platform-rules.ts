import type { EvaluateRequest } from "@soma/contracts/policy";
import { capabilities, type Capability } from "@soma/contracts/wire-names";

/** Types of resources as they stand before the colon of `resource`, and as Cedar entity types. */
export type ResourceType = "model" | "session" | "tenant" | "memory";

/** What each action is done to. An action that is missing here does not compile. */
export const actionResources = {
  "session.start": "session",
  "session.read": "session",
  "session.cancel": "session",
  "model.complete": "model",
  "model.embed": "model",
  "session.approve": "session",
  "ledger.read": "session",
  "tenant.read": "tenant",
  "tenant.manage": "tenant",
  "key.manage": "tenant",
  "platform.manage": "tenant",
  "session.steer": "session",
  "session.stop": "tenant",
  "budget.extend": "session",
  "memory.recall": "memory",
  "memory.remember": "memory",
  "subject.erase": "tenant",
} as const satisfies Record<Capability, ResourceType>;

/** What is to be decided, in typed and checked parts. */
export interface Target {
  readonly action: Capability;
  readonly resource: { readonly type: ResourceType; readonly id: string };
}

const resourcePattern = /^(?<type>[a-z]+):(?<id>[A-Za-z0-9][A-Za-z0-9._/:@-]{0,127})$/;

/**
 * The platform's own rules; no pack can lift them. Without an action it is `model.complete`; without a resource it is
 * `model:default`, the session itself or the tenant. An action that the platform does not know, or a resource that does not fit
 * it, is denied before any pack is asked. Reads the typed fields only: nothing in `metadata` has a say here.
 *
 * @returns the target, or the reason of the denial as a text that does not repeat what the caller sent.
 */
export function resolveTarget(request: EvaluateRequest): Target | string {
  const action = request.action ?? "model.complete";
  if (!isCapability(action)) return "platform: the action is not one that the platform knows";
  const expected = actionResources[action];
  const text = request.resource ?? defaultResource(expected, request);
  const { type, id } = resourcePattern.exec(text)?.groups ?? {};
  if (type !== expected || id === undefined) return `platform: ${action} needs a resource written as ${expected}:<id>`;
  return { action, resource: { type: expected, id } };
}

function defaultResource(type: ResourceType, { session_id, tenant }: EvaluateRequest): string {
  const ids = { model: "default", session: session_id, tenant, memory: tenant } as const satisfies Record<
    ResourceType,
    string
  >;
  return `${type}:${ids[type]}`;
}

function isCapability(action: string): action is Capability {
  return capabilities.some((known) => known === action);
}
