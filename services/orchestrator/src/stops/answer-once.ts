import { randomBytes } from "node:crypto";
import { digestOf, digestOfParts } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import type { Type } from "typebox";
import { Value } from "typebox/value";
import type { Manager } from "../access/manager.ts";
import type { AnswerStore } from "../ledger/answer-store.ts";

interface OnceRequest<Schema extends Type.TSchema> {
  /** What the ids begin with. */
  readonly prefix: "stop_" | "erasure_";
  /** Whose ledger tells of it. */
  readonly tenant: string;
  readonly body: unknown;
  readonly idempotencyKey: string | undefined;
  readonly answer: Schema;
}

/** Requests under way in this process, by tenant and id. */
const underWay = new Set<string>();

/**
 * Does what a request asks for once, and gives the same answer to the same request with the same key for 24 h. One that
 * broke off is done again under the same id.
 *
 * @throws DomainError IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS
 */
export async function answerOnce<Schema extends Type.TSchema>(
  answers: AnswerStore,
  { tenant: caller, user }: Manager,
  { prefix, tenant, body, idempotencyKey, answer: schema }: OnceRequest<Schema>,
  work: (id: string) => Promise<Type.Static<Schema>>,
): Promise<Type.Static<Schema>> {
  if (idempotencyKey === undefined) return work(prefix + randomBytes(16).toString("hex"));
  // Keys of different tenants and users are different keys.
  const digest = digestOfParts(prefix, caller, user, idempotencyKey);
  const id = prefix + digest.slice("sha256:".length, "sha256:".length + 32);
  const kept = await answers.begin({ tenant, key: id, requestDigest: digestOf(body) });
  if (kept !== undefined) return Value.Parse(schema, JSON.parse(kept));
  const slot = `${tenant} ${id}`;
  if (underWay.has(slot))
    throw new DomainError("IDEMPOTENCY_IN_PROGRESS", "The first request with this key is still running; try again.", {
      retryAfterSeconds: 1,
    });
  underWay.add(slot);
  try {
    const answer = await work(id);
    await answers.keep({ tenant, key: id, answer: JSON.stringify(answer) });
    return answer;
  } finally {
    underWay.delete(slot);
  }
}
