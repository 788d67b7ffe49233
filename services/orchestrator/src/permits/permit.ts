import { createHmac, timingSafeEqual } from "node:crypto";
import type { Digest, SessionId, TenantId } from "@soma/contracts/ids";
import { Permit, type GovernedAction } from "@soma/contracts/permit";
import { canonicalJson, digestOf, digestOfParts } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { Value } from "typebox/value";

/** What a step is known by to every target, on every attempt. */
export interface StepRef {
  readonly tenant: TenantId;
  readonly session_id: SessionId;
  readonly step: string;
}

/** SHA-256(tenant ‖ session ‖ step), never of the attempt: a repeated effect carries the key of the first. */
export function effectKeyOf(step: StepRef): Digest {
  return digestOfParts(step.tenant, step.session_id, step.step);
}

/** What one round of a step is known by to policy and identity: asked again, they answer as before. */
export function roundKey(effectKey: Digest, round: number): string {
  return `${effectKey}/${String(round)}`;
}

/** The digest that a permit is bound to. */
export function actionDigest(action: GovernedAction): Digest {
  return digestOf(action);
}

type PermitFields = Omit<Permit, "mac">;

/** Signs a permit. Called by `decide` alone, after an allowing decision was recorded. */
export function signPermit(key: Uint8Array, fields: PermitFields): Permit {
  return { ...fields, mac: macOf(key, fields) };
}

/**
 * Checks that a permit was made by a worker, for this very action of this step, and has not expired. To be called at
 * each attempt of an effect, right before it.
 *
 * @throws DomainError PERMIT_INVALID (nothing retries it) or PERMIT_EXPIRED (a new decision is needed).
 */
export function checkPermit(key: Uint8Array, permit: unknown, action: GovernedAction, now: Date): Permit {
  if (!Value.Check(Permit, permit)) throw invalid("is not a permit");
  const { mac, ...fields } = permit;
  const expected = Buffer.from(signable(() => macOf(key, fields)));
  const given = Buffer.from(mac);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) throw invalid("was not made by a worker");
  if (permit.effect_key !== effectKeyOf(permit)) throw invalid("is for another step");
  if (permit.action_digest !== signable(() => actionDigest(action))) throw invalid("is for another action");
  if (!(Date.parse(permit.expires_at) > now.getTime())) {
    throw new DomainError("PERMIT_EXPIRED", "The permit has expired; policy must decide again.");
  }
  return permit;
}

function macOf(key: Uint8Array, fields: PermitFields): string {
  return createHmac("sha256", key).update(canonicalJson(fields)).digest("base64url");
}

/** What has no canonical form, such as half a surrogate pair, was never signed. */
function signable(compute: () => string): string {
  try {
    return compute();
  } catch {
    throw invalid("or its action has no canonical form");
  }
}

function invalid(what: string): DomainError {
  return new DomainError("PERMIT_INVALID", `The permit ${what}.`);
}
