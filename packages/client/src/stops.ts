import { randomId } from "./random-id.ts";
import type { AnswerOf, BodyOf } from "./routes.ts";
import type { ChangeOptions, Transport } from "./transport.ts";

/** What is to be stopped, and why. */
export type StopRequest = NonNullable<BodyOf<"/v1/stops", "post">>;
/** What was stopped, and of what that cannot be said. */
export type StopReport = AnswerOf<"/v1/stops", "post">;
/** Whose texts and memory are to be erased. */
export type EraseSubjectRequest = NonNullable<BodyOf<"/v1/erasures", "post">>;
/** What was erased; `memory` may be missing in it. */
export type ErasureReport = AnswerOf<"/v1/erasures", "post">;

/**
 * Stops what runs: a session, a user's, an agent's, a tenant's or all. It may take a minute, longer than a call does unless
 * told otherwise: repeated under its key it is the same stop, and its answer the same. @throws SomaError.
 */
export function stopSessions(
  transport: Transport,
  request: StopRequest,
  { idempotencyKey = randomId(), ...options }: ChangeOptions = {},
): Promise<StopReport> {
  return transport.call("/v1/stops", "post", { body: request, idempotencyKey, ...options });
}

/**
 * Destroys the keys of all texts of a user, ends the user's sessions and has the memory forgotten; nothing brings it back. As
 * long as a stop, and as safe to repeat. @throws SomaError.
 */
export function eraseSubject(
  transport: Transport,
  request: EraseSubjectRequest,
  { idempotencyKey = randomId(), ...options }: ChangeOptions = {},
): Promise<ErasureReport> {
  return transport.call("/v1/erasures", "post", { body: request, idempotencyKey, ...options });
}
