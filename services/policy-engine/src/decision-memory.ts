import type { Decision } from "@soma/contracts/policy";
import { digestOfParts } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";

/** Bounds of what is remembered; the oldest goes first, and costs no more than the same decision made anew. */
export interface MemoryLimits {
  readonly decisions: number;
  readonly bytes: number;
}

export const memoryLimits: MemoryLimits = { decisions: 20_000, bytes: 16_777_216 };

/** A question that may be asked again. */
export interface RepeatableQuestion {
  readonly tenant: string;
  readonly key: string;
  /** Over all that was asked. */
  readonly requestDigest: string;
}

interface Remembered {
  readonly requestDigest: string;
  readonly decision: Decision;
  readonly expiresAtMs: number;
  readonly bytes: number;
}

/** Decisions by the key that they were asked for with, until they expire or policy changes; in this process alone. */
export class DecisionMemory {
  readonly #limits: MemoryLimits;
  readonly #byKey = new Map<string, Remembered>();
  #bytes = 0;

  constructor(limits: MemoryLimits = memoryLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /**
   * What was decided on this very question by this version of policy, while it holds.
   * @throws DomainError IDEMPOTENCY_KEY_REUSED when the key stands for another question.
   */
  find(question: RepeatableQuestion, policyVersion: string, nowMs: number): Decision | undefined {
    const place = placeOf(question);
    const found = this.#byKey.get(place);
    if (found === undefined) return undefined;
    if (found.expiresAtMs <= nowMs) {
      this.#forget(place, found);
      return undefined;
    }
    if (found.requestDigest !== question.requestDigest)
      throw new DomainError(
        "IDEMPOTENCY_KEY_REUSED",
        "The Idempotency-Key was used for another request; take a new one.",
      );
    return found.decision.policy_version === policyVersion ? found.decision : undefined;
  }

  remember(question: RepeatableQuestion, decision: Decision): void {
    const place = placeOf(question);
    const before = this.#byKey.get(place);
    if (before !== undefined) this.#forget(place, before);
    const bytes = place.length + JSON.stringify(decision).length;
    const { requestDigest } = question;
    this.#byKey.set(place, { requestDigest, decision, expiresAtMs: Date.parse(decision.expires_at), bytes });
    this.#bytes += bytes;
    for (const [oldest, one] of this.#byKey) {
      if (this.#byKey.size <= this.#limits.decisions && this.#bytes <= this.#limits.bytes) break;
      this.#forget(oldest, one);
    }
  }

  #forget(place: string, remembered: Remembered): void {
    this.#byKey.delete(place);
    this.#bytes -= remembered.bytes;
  }
}

/**
 * The id of the decision that a version of policy makes on a question: the same after a restart, when nothing is
 * remembered. A UUID of version 8 (RFC 9562, section 5.8), made of a SHA-256.
 */
export function decisionIdOf({ tenant, key, requestDigest }: RepeatableQuestion, policyVersion: string): string {
  const hex = digestOfParts(tenant, key, requestDigest, policyVersion).slice("sha256:".length);
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

function placeOf({ tenant, key }: RepeatableQuestion): string {
  return `${tenant} ${key}`;
}
