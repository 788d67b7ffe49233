import { Type } from "typebox";
import { DigestSchema } from "./ids.ts";

const closed = { additionalProperties: false } as const;
const most = Number.MAX_SAFE_INTEGER;

/** What a session may cost at most. What is left out is not bounded by the session; the tenant's quotas hold beside it. */
export const Budget = Type.Object(
  {
    tokens: Type.Optional(
      Type.Integer({ minimum: 1, maximum: most, description: "Model tokens, prompt and completion" }),
    ),
    cost_micros: Type.Optional(
      Type.Integer({ minimum: 1, maximum: most, description: "Money, in millionths of the price table's currency" }),
    ),
    steps: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: "Effects that may begin" })),
    wall_seconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 31_536_000, description: "From the session's start on" }),
    ),
  },
  { ...closed, minProperties: 1 },
);
export type Budget = Type.Static<typeof Budget>;

export const budgetDimensions = [
  "tokens",
  "cost_micros",
  "steps",
  "wall_seconds",
] as const satisfies readonly (keyof Budget)[];
export type BudgetDimension = (typeof budgetDimensions)[number];

/** The worst that one effect can cost, set aside before it begins and settled after it ended. */
export const Reservation = Type.Object(
  {
    tokens: Type.Integer({ minimum: 0, maximum: most }),
    cost_micros: Type.Integer({ minimum: 0, maximum: most }),
  },
  closed,
);
export type Reservation = Type.Static<typeof Reservation>;

const perMillion = (what: string) =>
  Type.Integer({
    minimum: 0,
    maximum: 1_000_000_000_000,
    description: `Millionths of the currency for a million ${what}`,
  });

/** What a model's tokens cost: integers, so that a cost is the same wherever it is worked out. */
export const ModelPrice = Type.Object(
  { input_micros_per_million: perMillion("input tokens"), output_micros_per_million: perMillion("output tokens") },
  closed,
);
export type ModelPrice = Type.Static<typeof ModelPrice>;

/** The price that an effect is reckoned with, and the table that it is from: enough to check the cost afterwards. */
export const AppliedPrice = Type.Object(
  {
    prices_digest: DigestSchema,
    currency: Type.String({ pattern: "^[A-Z]{3}$", description: "ISO 4217" }),
    ...ModelPrice.properties,
  },
  closed,
);
export type AppliedPrice = Type.Static<typeof AppliedPrice>;

/** What was used and what is set aside; `steps` counts effects that began. */
export const BudgetUse = Type.Object(
  {
    tokens: Type.Integer({ minimum: 0 }),
    cost_micros: Type.Integer({ minimum: 0 }),
    steps: Type.Integer({ minimum: 0 }),
  },
  closed,
);
export type BudgetUse = Type.Static<typeof BudgetUse>;

/** A session's budget as its view shows it. */
export const BudgetView = Type.Object({ limit: Budget, spent: BudgetUse, reserved: Reservation }, closed);
export type BudgetView = Type.Static<typeof BudgetView>;
