import { eventData, type NewEvent } from "@soma/contracts/audit";
import type { OutOfBudget } from "@soma/contracts/policy";
import { DomainError } from "@soma/kit/domain-error";
import { Value } from "typebox/value";
import { ageOf, shortageOf } from "../ledger/session-budget.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { effectKeyOf } from "../permits/permit.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { findKnownSession } from "./known-session.ts";
import type { ExhaustedBudgetInput, SessionActivities } from "./session-activities.ts";
import { eventContext, stepKeys } from "./step-events.ts";

/**
 * Records that a step has no budget, and tells what it does now, as policy said when it allowed the step. An extension that
 * came meanwhile makes the record needless: the step is decided anew. Local, idempotent.
 */
export function createRecordExhaustedBudget(deps: ActivityDeps): SessionActivities["record-exhausted-budget"] {
  return async (input) => {
    const row = await findKnownSession(deps, input.tenant, input.session_id);
    const key = stepKeys.exhausted(input.step, input.round);
    const recorded = await deps.ledger.findEvent(row.tenant, row.session_id, key);
    if (recorded === undefined) {
      const event = exhaustedEvent(row, input, key, deps.now());
      if (event === undefined || !(await recordUnlessExtended(deps, event))) return "decide_anew";
    }
    return choiceOf(deps, row, input);
  };
}

function exhaustedEvent(row: SessionRow, input: ExhaustedBudgetInput, key: string, now: Date): NewEvent | undefined {
  const { step, reserve } = input;
  const age = ageOf(row, now.toISOString());
  const shortage = row.budget && shortageOf(row.budget, effectKeyOf({ ...row, step }), reserve, age);
  return shortage && { ...eventContext(row), type: "budget.exhausted", key, data: { step, ...shortage } };
}

/** The ledger refuses the event when the bound that it names is another one by now. */
async function recordUnlessExtended({ ledger }: ActivityDeps, event: NewEvent): Promise<boolean> {
  try {
    await ledger.append([event]);
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.code === "TRANSITION_NOT_ALLOWED") return false;
    throw error;
  }
}

async function choiceOf(
  { ledger }: ActivityDeps,
  row: SessionRow,
  { step, round }: ExhaustedBudgetInput,
): Promise<OutOfBudget> {
  const decided = await ledger.findEvent(row.tenant, row.session_id, stepKeys.decided(step, round));
  const obligations = decided ? Value.Parse(eventData["policy.decided"], decided.data).obligations : [];
  const choices = obligations.flatMap((one) => (one.kind === "out_of_budget" ? [one.choice] : []));
  return choices.includes("end") ? "end" : "wait";
}
