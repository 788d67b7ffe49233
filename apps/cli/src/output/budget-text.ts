import type { BudgetView } from "@soma/client/shapes";

/** What is bounded, what is spent and what is set aside, in one line. */
export function describeBudget({ limit, spent, reserved }: BudgetView, createdAt: string): string {
  const { tokens, cost_micros: cost, steps, wall_seconds: wall } = limit;
  return [
    tokens !== undefined && part("tokens", tokens, spent.tokens, reserved.tokens, String),
    cost !== undefined && part("cost", cost, spent.cost_micros, reserved.cost_micros, money),
    steps !== undefined && part("steps", steps, spent.steps, 0, String),
    wall !== undefined && `time until ${new Date(Date.parse(createdAt) + wall * 1_000).toISOString()}`,
  ]
    .filter((text) => text !== false)
    .join("; ");
}

function part(name: string, limit: number, spent: number, reserved: number, write: (value: number) => string): string {
  const aside = reserved === 0 ? "" : `, ${write(reserved)} set aside`;
  return `${name} ${write(spent)} of ${write(limit)}${aside}`;
}

/** Millionths as a decimal number, exactly. */
function money(micros: number): string {
  const digits = String(micros).padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, "");
}
