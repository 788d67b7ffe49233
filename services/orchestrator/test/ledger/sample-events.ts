import type { NewEvent } from "@soma/contracts/audit";
import { sha256 } from "@soma/kit/digest";
import { newContent } from "../../src/ledger/content.ts";
import type { OpenSession, SessionCreated } from "../../src/ledger/ledger.ts";

/** Whose session it is; what each sample event carries. */
export interface Subject {
  readonly tenant: string;
  readonly session_id: string;
}

export const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };

export function createdEvent(
  subject: Subject,
  prompt = "hello",
  labels: string[] = [],
  user = "user-1",
): SessionCreated {
  return {
    ...writer(subject),
    user,
    type: "session.created",
    key: "session.created",
    data: { role: "operator", prompt_digest: sha256(prompt), labels, task_queue: "somagent.session.workflows" },
  };
}

export function openingOf(subject: Subject, prompt = "hello", labels: string[] = [], user = "user-1"): OpenSession {
  return {
    created: createdEvent(subject, prompt, labels, user),
    workflowId: `session-${subject.session_id}`,
    contents: [newContent({ tenant: subject.tenant, user }, "text/plain; charset=utf-8", prompt)],
  };
}

/** One governed step, decided, intended and done, as the workflow records it. */
export function stepEvents(subject: Subject, step: string, output = "world"): NewEvent[] {
  const effect_key = sha256(`${subject.tenant}/${subject.session_id}/${step}`);
  const action_digest = sha256(`action of ${step}`);
  const what = { step, action: "model.complete", resource: "model:default", action_digest, effect_key };
  const base = writer(subject);
  return [
    {
      ...base,
      type: "policy.decided",
      key: `${step}/policy.decided`,
      data: {
        ...what,
        decision_id: `decision-${step}`,
        policy_version: "v1",
        allowed: true,
        score: 0.25,
        severity: "low",
        reasons: ["within limits"],
        obligations: [],
        expires_at: "2999-01-01T00:00:00.000Z",
      },
    },
    {
      ...base,
      type: "effect.intended",
      key: `${step}/effect.intended`,
      data: { ...what, decision_id: `decision-${step}`, jti: `jti-${step}` },
    },
    {
      ...base,
      type: "effect.completed",
      key: `${step}/effect.completed`,
      data: { step, effect_key, result_digest: sha256(output), model: "small", finish_reason: "stop", usage },
    },
  ];
}

export function unavailableEvent(subject: Subject, key: string): NewEvent {
  return {
    ...writer(subject),
    type: "dependency.unavailable",
    key,
    data: { step: "step-1", dependency: "slm", code: "MODEL_UNAVAILABLE" },
  };
}

export function recoveredEvent(subject: Subject, key: string): NewEvent {
  return { ...writer(subject), type: "dependency.recovered", key, data: { step: "step-1", dependency: "slm" } };
}

export function completedEvent(subject: Subject, output = "world"): NewEvent {
  return {
    ...writer(subject),
    type: "session.completed",
    key: "session.ended",
    data: { result_digest: sha256(output), usage },
  };
}

export function writer(subject: Subject): Omit<NewEvent, "type" | "key" | "data"> {
  return { ...subject, user: "user-1", agent: "session-agent", authn: "token" };
}
