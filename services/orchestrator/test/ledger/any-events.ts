import type { NewEvent } from "@soma/contracts/audit";
import { isUserId } from "@soma/contracts/ids";
import { nextState, type MachineState } from "@soma/contracts/session-machine";
import { sha256 } from "@soma/kit/digest";
import * as fc from "fast-check";
import { recoveredEvent, stepEvents, unavailableEvent, usage, writer, type Subject } from "./sample-events.ts";

const canceler = "user-2";
if (!isUserId(canceler)) throw new Error("not a user id");

type Told = (subject: Subject, key: string) => NewEvent;

const running: readonly Told[] = [
  ...[0, 1, 2].map((index): Told => (subject, key) => ({ ...stepOf(subject, index), key })),
  unavailableEvent,
  recoveredEvent,
  (subject, key) => ({
    ...writer(subject),
    type: "policy.decided",
    key,
    data: {
      step: "step-1",
      action: "model.complete",
      resource: "model:default",
      action_digest: sha256("a"),
      effect_key: sha256("k"),
      decision_id: key,
      policy_version: "v2",
      allowed: false,
      score: 1,
      severity: "critical",
      reasons: ["too dangerous", 'ünïcödé \u2028 "quoted"'],
      obligations: [{ kind: "max_output_tokens", limit: 10 }],
      expires_at: "2999-01-01T00:00:00.000Z",
    },
  }),
  (subject, key) => ({
    ...writer(subject),
    type: "token.issued",
    key,
    data: {
      step: "step-1",
      effect_key: sha256("k"),
      decision_id: "d",
      jti: key,
      audience: "somagent-slm",
      scopes: ["model.complete"],
      expires_at: "2999-01-01T00:00:00.000Z",
    },
  }),
  (subject, key) => ({
    ...writer(subject),
    type: "effect.failed",
    key,
    data: { step: "step-1", effect_key: sha256("k"), code: "MODEL_UNAVAILABLE" },
  }),
  ...(["session.paused", "session.resumed"] as const).map((type): Told => (subject, key) => ({
    ...writer(subject),
    type,
    key,
    data: { step: "step-1", reason: "tenant_suspended" },
  })),
  (subject, key) => ({ ...writer(subject), type: "session.cancel_requested", key, data: { by: canceler } }),
];

const ending: readonly Told[] = [
  (subject, key) => ({
    ...writer(subject),
    type: "session.completed",
    key,
    data: { result_digest: sha256("r"), usage },
  }),
  (subject, key) => ({
    ...writer(subject),
    type: "session.denied",
    key,
    data: { code: "POLICY_DENIED", step: "step-1", reasons: ["no"] },
  }),
  (subject, key) => ({ ...writer(subject), type: "session.failed", key, data: { code: "MODEL_UNAVAILABLE" } }),
  (subject, key) => ({ ...writer(subject), type: "session.canceled", key, data: {} }),
  (subject, key) => ({ ...writer(subject), type: "session.timed_out", key, data: {} }),
];

/** Any story that a session can have after its creation, in groups as they are appended together. */
export const anyStory: fc.Arbitrary<(subject: Subject) => NewEvent[][]> = fc
  .tuple(
    fc.array(fc.array(fc.constantFrom(...running), { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
    fc.option(fc.constantFrom(...ending), { nil: undefined }),
  )
  .map(([groups, end]) => (subject: Subject): NewEvent[][] => {
    const told = end === undefined ? groups : [...groups, [end]];
    let count = 0;
    let canceled = false;
    let state: MachineState = { phase: "starting", paused: false };
    // What the ledger refuses is no part of a story: what the state does not allow, and intents once a cancellation was asked for.
    const isTold = (event: NewEvent): boolean => {
      const allowed = event.type === "policy.decided" && event.data.allowed;
      if (event.type === "session.created" || (canceled && event.type === "effect.intended")) return false;
      const next = nextState(state, event.type, { allowed });
      if ("refused" in next) return false;
      ({ state } = next);
      canceled ||= event.type === "session.cancel_requested";
      return true;
    };
    return told
      .map((group) => group.map((tell) => tell(subject, `event-${(count += 1)}`)).filter(isTold))
      .filter((group) => group.length > 0);
  });

function stepOf(subject: Subject, index: number): NewEvent {
  const event = stepEvents(subject, "step-1")[index];
  if (event === undefined) throw new Error("a step has three events");
  return event;
}
