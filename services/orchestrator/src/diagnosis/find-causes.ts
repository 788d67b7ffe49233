import type { Cause } from "@soma/contracts/diagnosis";
import { isTerminal } from "@soma/contracts/session";
import { dependencyCauses, quotaCauses } from "./dependency-causes.ts";
import { sinceOf, timeOf, type Facts } from "./facts.ts";
import { recordedCauses } from "./recorded-causes.ts";
import { detailsOf, temporalCauses } from "./temporal-causes.ts";

/** A session that said something so recently goes on, whatever Temporal shows of it. */
const recentMs = 5_000;

/** Why a session is where it is, the nearest cause first; at least one. Pure. */
export function findCauses(facts: Facts): [Cause, ...Cause[]] {
  const { row } = facts;
  if (isTerminal(row.status)) {
    return [
      {
        code: "ended",
        since: row.updated_at,
        what: `It has ended: ${row.status}.`,
        would_move: "Nothing; start another session.",
        ...(row.error && { details: { code: row.error.code } }),
      },
    ];
  }
  const causes = [
    ...recordedCauses(facts),
    ...dependencyCauses(facts),
    ...(row.status === "waiting_input" ? [] : quotaCauses(facts)),
    ...temporalCauses(facts),
    ...waitingInput(facts),
  ];
  const [first, ...others] = causes;
  return first === undefined ? [movingOrUnknown(facts)] : [first, ...others];
}

function waitingInput(facts: Facts): Cause[] {
  const { status, turns, idle_seconds } = facts.row;
  if (status !== "waiting_input") return [];
  const failed = turns?.outcome === "failed";
  return [
    {
      code: "waiting_input",
      ...timeOf(facts, "turn.ended"),
      what: failed ? "Its last turn failed; it waits for what is to be done." : "It waits for the next message.",
      would_move: `POST …/actions/message${failed ? ", or …/actions/retry for the failed step alone" : ""}.`,
      details: {
        ...(turns && { turn: turns.turn }),
        ...(turns?.code !== undefined && { code: turns.code }),
        ...(idle_seconds !== undefined && { idle_seconds }),
      },
    },
  ];
}

function movingOrUnknown({ workflow, row, now }: Facts): Cause {
  if (workflow !== undefined && workflow !== "unknown_workflow") {
    const started = workflow.activities.find(({ state }) => state === "started");
    if (started !== undefined) {
      return {
        code: "moving",
        ...sinceOf(started.startedAt),
        what: `Its activity ${started.activity} is under way.`,
        would_move: "Nothing is needed; POST …/actions/cancel ends it.",
        details: { ...detailsOf(started), history_events: workflow.historyEvents },
      };
    }
    if (workflow.task !== undefined || now.getTime() - Date.parse(row.updated_at) < recentMs) {
      return {
        code: "moving",
        since: row.updated_at,
        what: "It is going on.",
        would_move: "Nothing is needed.",
        details: { history_events: workflow.historyEvents },
      };
    }
  }
  return {
    code: "unknown",
    since: row.updated_at,
    what: "Nothing is seen that holds it up, and nothing that it does.",
    would_move: "An operator: the worker's log with this session_id; POST …/actions/cancel ends it.",
    ...(typeof workflow === "object" && { details: { history_events: workflow.historyEvents } }),
  };
}
