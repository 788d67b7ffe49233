import type { NewEvent } from "@soma/contracts/audit";
import type { ErrorCode } from "@soma/contracts/error-codes";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { effectKeyOf } from "../permits/permit.ts";
import type { SessionEnd } from "./session-activities.ts";
import { eventContext, openSteps, stepKeys } from "./step-events.ts";

/**
 * What a session's ledger is told last, for one append: the outcome of each step that was intended and not completed,
 * and the end itself.
 */
export async function sessionEndEvents(
  ledger: Pick<Ledger, "readEvents">,
  row: SessionRow,
  end: SessionEnd,
): Promise<NewEvent[]> {
  const code = outcomeOf(end);
  const open = code === undefined ? [] : await openEffectOutcomes(ledger, row, code);
  return [...open, endEvent(row, end)];
}

/**
 * The failures of what was intended and has no outcome, of all steps unless some are named. Only an effect that was really
 * intended can have one: a step that never got so far leaves nothing open.
 */
export async function openEffectOutcomes(
  ledger: Pick<Ledger, "readEvents">,
  row: SessionRow,
  code: ErrorCode,
  isMeant: (step: string) => boolean = () => true,
): Promise<NewEvent[]> {
  return (await stepsUnderWay(ledger, row)).filter(isMeant).map((step) => failedEffect(row, step, code));
}

/** The steps of a session that are under way. A turn that ended left none open: of a long conversation the last one is read. */
export async function stepsUnderWay(ledger: Pick<Ledger, "readEvents">, row: SessionRow): Promise<string[]> {
  const { tenant, session_id: sessionId, last_seq: limit, turns } = row;
  return openSteps(await ledger.readEvents({ tenant, sessionId, after: turns?.started_seq ?? 0, limit }));
}

function failedEffect(row: SessionRow, step: string, code: ErrorCode): NewEvent {
  const data = { step, effect_key: effectKeyOf({ ...row, step }), code };
  return { ...eventContext(row), type: "effect.failed", key: stepKeys.failed(step), data };
}

function outcomeOf(end: SessionEnd): ErrorCode | undefined {
  switch (end.status) {
    case "failed":
      return end.error.code;
    case "canceled":
      return "SESSION_CANCELED";
    case "timed_out":
      return "SESSION_TIMED_OUT";
    case "completed":
    case "denied":
      return undefined;
  }
}

function endEvent(row: SessionRow, end: SessionEnd): NewEvent {
  const context = { ...eventContext(row), key: "session.end" };
  switch (end.status) {
    case "completed":
      return {
        ...context,
        type: "session.completed",
        data: { result_digest: end.result.text_digest, usage: end.result.usage },
      };
    case "denied":
      return {
        ...context,
        type: "session.denied",
        data: {
          code: end.error.code,
          step: end.step,
          ...(end.decision && { decision_id: end.decision.decision_id }),
          reasons: end.decision?.reasons ?? [],
        },
      };
    case "failed":
      return {
        ...context,
        type: "session.failed",
        data: { code: end.error.code, ...(end.step !== undefined && { step: end.step }) },
      };
    case "canceled":
      return { ...context, type: "session.canceled", data: {} };
    case "timed_out":
      return { ...context, type: "session.timed_out", data: {} };
  }
}
