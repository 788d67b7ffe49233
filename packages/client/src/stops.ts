import { randomId } from "./random-id.ts";
import type { ErasureReport, EraseSubjectRequest, StopReport, StopRequest } from "./shapes.ts";
import type { ChangeOptions, Transport } from "./transport.ts";

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
