import type { Budget } from "@soma/client/shapes";
import type { Command } from "commander";
import { money, seconds, wholeNumber } from "./option-values.ts";

/** Bounds of a new session. */
export interface BudgetFlags {
  readonly budgetTokens?: number;
  readonly budgetCost?: number;
  readonly budgetSteps?: number;
  readonly budgetTime?: number;
}

export function withBudget(command: Command): Command {
  return command
    .option("--budget-tokens <number>", "at most so many model tokens", wholeNumber(1))
    .option("--budget-cost <amount>", "at most so much money, e.g. 0.25, in the price table's currency", money)
    .option("--budget-steps <number>", "at most so many effects", wholeNumber(1))
    .option("--budget-time <time>", "at most so long from its start on, e.g. 90m", seconds);
}

/** The budget that was named; undefined for none. */
export function readBudget({ budgetTokens, budgetCost, budgetSteps, budgetTime }: BudgetFlags): Budget | undefined {
  const budget = {
    ...(budgetTokens !== undefined && { tokens: budgetTokens }),
    ...(budgetCost !== undefined && { cost_micros: budgetCost }),
    ...(budgetSteps !== undefined && { steps: budgetSteps }),
    ...(budgetTime !== undefined && { wall_seconds: budgetTime }),
  };
  return Object.keys(budget).length === 0 ? undefined : budget;
}
