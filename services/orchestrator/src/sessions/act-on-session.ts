import { eventData, type EventData, type NewEvent } from "@soma/contracts/audit";
import type { Digest, UserId } from "@soma/contracts/ids";
import { isTerminal, sessionActions, type SessionAction } from "@soma/contracts/session";
import { actionBodies, actionCapabilities, type ActionBody, type AcceptedAction } from "@soma/contracts/session-action";
import type { AuthenticationKind, Role } from "@soma/contracts/wire-names";
import { canonicalJson } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { eventContext } from "../activities/step-events.ts";
import type { PolicyClient } from "../adapters/policy-client.ts";
import { newContent, type NewContent } from "../ledger/content.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { TenantSnapshots } from "../tenants/tenant-snapshots.ts";
import { actionIdOf, actionKeys } from "./action-keys.ts";
import { cancelSession } from "./cancel-session.ts";
import { findSession } from "./find-session.ts";
import type { SessionDeps } from "./session-deps.ts";
import { assertSize, assertText } from "./session-input.ts";
import { actionsNow } from "./steering-view.ts";
import { terminateSession } from "./terminate-session.ts";

/** What actions need beside what sessions do. */
export interface ActionDeps extends SessionDeps {
  readonly policy: Pick<PolicyClient, "evaluate">;
  readonly snapshots: TenantSnapshots;
}

/** Who acts on a session: from the token, or on loopback, where nobody says it, the session's own user. */
export interface Actor {
  readonly user: UserId;
  readonly role: Role;
  readonly authn: AuthenticationKind;
}

type AskedActions = { [A in SessionAction]: { readonly action: A; readonly body: ActionBody<A> } };

/** One action with its body; `approve` has an approval's, and so on. */
export const AskedAction = Type.Unsafe<AskedActions[SessionAction]>(
  Type.Union(sessionActions.map((action) => Type.Object({ action: Type.Literal(action), body: actionBodies[action] }))),
);
export type AskedAction = Type.Static<typeof AskedAction>;

type Decided = EventData<"action.decided">;

/**
 * Does one thing to a session: policy decides, the decision is recorded with all that the action says, then it is carried
 * to the workflow, which records what came of it. With the same idempotency key it is the same action, and happens once.
 *
 * @throws DomainError ACTION_NOT_ALLOWED naming what the state allows, POLICY_DENIED, SESSION_BUSY, QUEUE_FULL,
 * IDEMPOTENCY_KEY_REUSED, the refusals of approvals, TEMPORAL_UNAVAILABLE, POLICY_UNAVAILABLE, AUDIT_UNAVAILABLE
 */
export async function actOnSession(
  deps: ActionDeps,
  row: SessionRow,
  actor: Actor,
  asked: AskedAction,
  idempotencyKey: string | undefined,
): Promise<AcceptedAction> {
  const { action } = asked;
  assertOwn(row, actor, action);
  const action_id = actionIdOf(row, idempotencyKey);
  const { values, judged, texts } = argumentsOf(asked);
  const recorded = await deps.ledger.findEvent(row.tenant, row.session_id, actionKeys.decided(action_id));
  const before = recorded && Value.Parse(eventData["action.decided"], recorded.data);
  if (before === undefined) assertPossible(row, action);
  const decided = before ?? (await decide(deps, row, { actor, action, action_id, values, judged, texts }));
  assertSame(decided, actor, action, values);
  const applied = before && (await deps.ledger.findEvent(row.tenant, row.session_id, actionKeys.applied(action_id)));
  if (applied !== undefined) return accepted(action_id, action, applied.data["turn"]);
  if (!decided.allowed)
    throw new DomainError(
      "POLICY_DENIED",
      `Policy denied the action: ${decided.reasons.join("; ") || "no reason given"}.`,
    );
  return carryOut(deps, row, { actor, asked, action_id, repeated: before !== undefined });
}

/**
 * What is said in a session is done with its user's rights and memory, so nobody else speaks in it.
 *
 * @throws DomainError FORBIDDEN
 */
function assertOwn({ user }: SessionRow, actor: Actor, action: SessionAction): void {
  if ((action === "message" || action === "retry") && actor.user !== user)
    throw new DomainError("FORBIDDEN", "Only the session's own user speaks in it; start a session of your own.");
}

function accepted(action_id: string, action: SessionAction, turn: unknown): AcceptedAction {
  // A retry's event names its turn, too; only a message's is news.
  return { action_id, action, ...(action === "message" && typeof turn === "number" && { turn }) };
}

/** @throws DomainError ACTION_NOT_ALLOWED naming the actions that are */
function assertPossible(row: SessionRow, action: SessionAction): void {
  const allowed = actionsNow(row);
  if (allowed.includes(action)) return;
  // Several may wait for people while the status shows something else: the ledger decides on each.
  if ((action === "approve" || action === "deny") && !isTerminal(row.status)) return;
  const instead =
    allowed.length === 0
      ? `The session has ended (${row.status}); no action is possible any more.`
      : `The session is ${row.status}; it allows: ${allowed.join(", ")}.`;
  throw new DomainError("ACTION_NOT_ALLOWED", instead);
}

interface Arguments {
  /** What stands in the ledger: digests, ids, numbers, choices. */
  readonly values: Decided["arguments"];
  /** What policy judges: a message's words. */
  readonly judged: string;
  /** The texts that the values name, for the content store. */
  readonly texts: readonly string[];
}

function argumentsOf({ action, body }: AskedAction): Arguments {
  if (action === "message") {
    const { text, busy = "reject", final = false } = body;
    assertText("/text", text);
    assertSize("/text", text);
    return { values: { message_digest: digestOfText(text), busy, final }, judged: text, texts: [text] };
  }
  if (!("reason" in body) || body.reason === undefined) return { values: { ...body }, judged: "", texts: [] };
  const { reason, ...values } = body;
  assertText("/reason", reason);
  return { values: { ...values, reason_digest: digestOfText(reason) }, judged: "", texts: [reason] };
}

const digestOfText = (text: string): Digest => contentOf({ tenant: "", user: "" }, text).digest;

function contentOf(subject: Pick<NewContent, "tenant" | "user">, text: string): NewContent {
  return newContent(subject, "text/plain; charset=utf-8", text);
}

function assertSame(before: Decided, actor: Actor, action: SessionAction, values: Decided["arguments"]): void {
  const same =
    before.action === action && before.by === actor.user && canonicalJson(before.arguments) === canonicalJson(values);
  if (!same)
    throw new DomainError(
      "IDEMPOTENCY_KEY_REUSED",
      "The key stands for another action on this session; use a new one.",
    );
}

async function decide(
  deps: ActionDeps,
  row: SessionRow,
  {
    actor,
    action,
    action_id,
    values,
    judged,
    texts,
  }: Arguments & { actor: Actor; action: SessionAction; action_id: string },
): Promise<Decided> {
  const pack = (await deps.snapshots.find(row.tenant))?.settings.policy_pack;
  const answer = await deps.policy.evaluate(
    {
      session_id: row.session_id,
      tenant: row.tenant,
      user: actor.user,
      prompt: judged,
      role: actor.role,
      action: actionCapabilities[action],
      resource: `session:${row.session_id}`,
      metadata: {},
      ...(pack !== undefined && { pack }),
    },
    { requestId: action_id, idempotencyKey: `${row.tenant}/${row.session_id}/${action_id}` },
    new AbortController().signal,
  );
  // Nobody is asked to approve an action on a session: a policy that wants it cannot be met.
  const unmet = answer.obligations.some(({ kind }) => kind === "require_approval");
  const data: Decided = {
    action_id,
    action,
    by: actor.user,
    by_role: actor.role,
    by_authn: actor.authn,
    arguments: values,
    decision_id: answer.decisionId,
    policy_version: answer.policyVersion,
    allowed: answer.allowed && !unmet,
    reasons: unmet ? ["policy asks for an approval of the action itself, which cannot be given"] : [...answer.reasons],
  };
  const event: NewEvent = { ...eventContext(row), type: "action.decided", key: actionKeys.decided(action_id), data };
  try {
    await deps.ledger.append([event], data.allowed ? texts.map((text) => contentOf(row, text)) : []);
    return data;
  } catch (error) {
    if (error instanceof DomainError && error.code === "SESSION_ENDED")
      throw new DomainError("ACTION_NOT_ALLOWED", "The session has ended; no action is possible any more.");
    // The same action came twice at once: what was recorded first is the decision on both.
    const first = await deps.ledger.findEvent(row.tenant, row.session_id, event.key);
    if (first === undefined) throw error;
    return Value.Parse(eventData["action.decided"], first.data);
  }
}

async function carryOut(
  deps: ActionDeps,
  row: SessionRow,
  { actor, asked, action_id, repeated }: { actor: Actor; asked: AskedAction; action_id: string; repeated: boolean },
): Promise<AcceptedAction> {
  const { action } = asked;
  if (action === "cancel") {
    const now = await findSession(deps.ledger, row.tenant, row.session_id);
    // Asked again after an answer that was lost: what was asked has come true.
    if (!(repeated && isTerminal(now.status))) await cancelSession(deps, now, actor.user);
    return { action_id, action };
  }
  if (action === "terminate") {
    await terminateSession(deps, row);
    return { action_id, action };
  }
  const busy = action === "message" ? asked.body.busy : undefined;
  const { turn } = await deps.workflows.act(row.session_id, { action_id, action, ...(busy !== undefined && { busy }) });
  return accepted(action_id, action, turn);
}
