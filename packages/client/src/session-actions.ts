import { inTenant } from "./in-tenant.ts";
import { randomId } from "./random-id.ts";
import type { BodyOf } from "./routes.ts";
import type { SessionAction, SessionView } from "./shapes.ts";
import type { ChangeOptions, Transport } from "./transport.ts";

type ActionPath<A extends SessionAction> = `/v1/sessions/{id}/actions/${A}`;
type BodyOfAction<A extends SessionAction> = NonNullable<BodyOf<ActionPath<A>, "post">>;

/** What is said, and what it does to a session that is busy. */
export type Message = BodyOfAction<"message">;
/** Which approval, and the digest of the action that was looked at: no other action is decided on. */
export type ApprovalDecision = BodyOfAction<"approve">;
/** Why, for people; kept with the texts of the session. */
export type Reason = BodyOfAction<"pause">;
/** By how much each bound is raised. */
export type BudgetExtension = BodyOfAction<"extend-budget">;

/**
 * All of these are decided by policy, recorded, and happen once for a key: each is repeated under its key while it fails
 * in passing. What the session's state does not allow is a SomaError ACTION_NOT_ALLOWED that names what it does. The
 * session comes back as it is afterwards, with `accepted`.
 */
function act<A extends SessionAction>(
  transport: Transport,
  action: A,
  id: string,
  body: BodyOfAction<A>,
  { idempotencyKey = randomId(), ...options }: ChangeOptions,
): Promise<SessionView> {
  const path: ActionPath<SessionAction> = `/v1/sessions/{id}/actions/${action}`;
  return transport.call(path, "post", {
    parameters: { path: { id }, ...inTenant(transport) },
    body,
    idempotencyKey,
    ...options,
  });
}

/** Says something in an interactive session; `accepted.turn` is the turn that answers it. @throws SomaError SESSION_BUSY, QUEUE_FULL. */
export function sendMessage(
  transport: Transport,
  id: string,
  message: Message,
  options: ChangeOptions = {},
): Promise<SessionView> {
  return act(transport, "message", id, message, options);
}

/** Approves what waits; for another person than who asked. @throws SomaError APPROVAL_MISMATCH, OWN_REQUEST, APPROVAL_CLOSED, APPROVAL_EXPIRED. */
export function approve(
  transport: Transport,
  id: string,
  decision: ApprovalDecision,
  options: ChangeOptions = {},
): Promise<SessionView> {
  return act(transport, "approve", id, decision, options);
}

/** Denies what waits: the step does not happen. @throws SomaError as {@link approve}. */
export function deny(
  transport: Transport,
  id: string,
  decision: ApprovalDecision,
  options: ChangeOptions = {},
): Promise<SessionView> {
  return act(transport, "deny", id, decision, options);
}

/** Lets no further step begin; what is under way ends. @throws SomaError. */
export function pauseSession(
  transport: Transport,
  id: string,
  reason: Reason = {},
  options: ChangeOptions = {},
): Promise<SessionView> {
  return act(transport, "pause", id, reason, options);
}

/** Lets a paused session go on. @throws SomaError. */
export function resumeSession(
  transport: Transport,
  id: string,
  reason: Reason = {},
  options: ChangeOptions = {},
): Promise<SessionView> {
  return act(transport, "resume", id, reason, options);
}

/** Asks for a session's end; what is running is reached, and ends soon. @throws SomaError. */
export function cancelSession(
  transport: Transport,
  id: string,
  reason: Reason = {},
  options: ChangeOptions = {},
): Promise<SessionView> {
  return act(transport, "cancel", id, reason, options);
}

/** Ends a session at once, without waiting for what is running. @throws SomaError. */
export function terminateSession(
  transport: Transport,
  id: string,
  reason: Reason = {},
  options: ChangeOptions = {},
): Promise<SessionView> {
  return act(transport, "terminate", id, reason, options);
}

/** Tries the failed step of a conversation again, alone. @throws SomaError. */
export function retryTurn(
  transport: Transport,
  id: string,
  reason: Reason = {},
  options: ChangeOptions = {},
): Promise<SessionView> {
  return act(transport, "retry", id, reason, options);
}

/** Raises the bounds of a session's budget by what is named. @throws SomaError. */
export function extendBudget(
  transport: Transport,
  id: string,
  extension: BudgetExtension,
  options: ChangeOptions = {},
): Promise<SessionView> {
  return act(transport, "extend-budget", id, extension, options);
}
