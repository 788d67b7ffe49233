import type { EventData, NewEvent } from "@soma/contracts/audit";
import type { Budget, Reservation } from "@soma/contracts/budget";
import type { ErrorCode } from "@soma/contracts/error-codes";
import { sha256 } from "@soma/kit/digest";
import type { OpenSession } from "../../src/ledger/ledger.ts";
import { createdEvent, openingOf, stepEvents, writer, type Subject } from "./sample-events.ts";

/** A session with a budget of its own. */
export function openingWith(subject: Subject, budget: Budget): OpenSession {
  const created = createdEvent(subject);
  return { ...openingOf(subject), created: { ...created, data: { ...created.data, budget } } };
}

/** What makes a session run. */
export function allowance(subject: Subject): NewEvent {
  const [decided] = stepEvents(subject, "completion-1");
  if (decided === undefined) throw new Error("a step has three events");
  return decided;
}

export function keyOf(subject: Subject, step: string): EventData<"effect.intended">["effect_key"] {
  return sha256(`${subject.tenant}/${subject.session_id}/${step}`);
}

export function intent(subject: Subject, step: string, reserved: Reservation, round = 1): NewEvent {
  return {
    ...writer(subject),
    type: "effect.intended",
    key: `${step}/effect.intended/${round}`,
    data: {
      step,
      action: "model.complete",
      resource: "model:default",
      action_digest: sha256(step),
      effect_key: keyOf(subject, step),
      decision_id: `decision-${round}`,
      jti: `jti-${round}`,
      reserved,
    },
  };
}

export function outcome(subject: Subject, step: string, tokens: number, cost_micros?: number): NewEvent {
  return {
    ...writer(subject),
    type: "effect.completed",
    key: `${step}/effect.completed`,
    data: {
      step,
      effect_key: keyOf(subject, step),
      result_digest: sha256("world"),
      model: "small",
      finish_reason: "stop",
      usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
      ...(cost_micros !== undefined && { cost_micros }),
    },
  };
}

export function failure(subject: Subject, step: string, code: ErrorCode): NewEvent {
  const data = { step, effect_key: keyOf(subject, step), code };
  return { ...writer(subject), type: "effect.failed", key: `${step}/effect.failed`, data };
}

export function sessionFailed(subject: Subject, code: ErrorCode = "MODEL_UNAVAILABLE"): NewEvent {
  return { ...writer(subject), type: "session.failed", key: "session.end", data: { code } };
}

/** What each effect of a worker's process reserves, and uses to the last token. */
export const worst: Reservation = { tokens: 10, cost_micros: 7 };
