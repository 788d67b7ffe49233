import { condition } from "@temporalio/workflow";
import type { Permit } from "@soma/contracts/permit";
import { patiently } from "./governed-step.ts";

/** For so long a step waits for somebody to extend its session's budget. */
const extensionArrivesWithin = "24h";

/** What tells a step that the budget was extended. */
interface Extensions {
  /** How often it was. */
  readonly extensions: number;
  waitsForBudget: boolean;
}

/**
 * After an intent was refused with BUDGET_EXCEEDED, or an effect ended with it: records that, and waits for an extension
 * if policy lets the step wait.
 *
 * @returns whether the step is to be decided anew; false when it ends
 */
export async function untilExtended(
  session: Extensions,
  { tenant, session_id, step, round, reserve }: Permit,
): Promise<boolean> {
  // Before the record: an extension that comes from here on is seen, however early.
  const seen = session.extensions;
  const input = { tenant, session_id, step, round, reserve: reserve ?? { tokens: 0, cost_micros: 0 } };
  const choice = await patiently((activities) => activities["record-exhausted-budget"](input));
  if (choice !== "wait") return choice === "decide_anew";
  session.waitsForBudget = true;
  try {
    return await condition(() => session.extensions > seen, extensionArrivesWithin);
  } finally {
    session.waitsForBudget = false;
  }
}
