import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { genesisHash, type NewEvent } from "@soma/contracts/audit";
import type { Budget, Reservation } from "@soma/contracts/budget";
import * as fc from "fast-check";
import { sealEvent } from "../../src/ledger/event-chain.ts";
import {
  extend,
  forfeit,
  newBudget,
  release,
  reserve,
  reservedTotal,
  settle,
  shortageOf,
  type BudgetState,
} from "../../src/ledger/session-budget.ts";
import { tenantDaysAfter, type TenantDays } from "../../src/ledger/tenant-days.ts";
import { failure, intent, outcome, sessionFailed } from "./budget-events.ts";
import { code } from "./refusal.ts";

const numRuns = 1_000;

function check<Values>(context: TestContext, property: fc.IProperty<Values>): void {
  const seed = Date.now() % 2 ** 31;
  context.diagnostic(`seed ${seed}, ${numRuns} runs`);
  fc.assert(property, { seed, numRuns });
}

const effect = fc.constantFrom("a", "b", "c", "d", "e", "f");
const amount = fc.record({ tokens: fc.integer({ min: 0, max: 60 }), cost_micros: fc.integer({ min: 0, max: 40 }) });
/** How much of what was set aside is really used, in percent: a call cannot use more than its worst case. */
const share = fc.integer({ min: 0, max: 100 });
const limit: fc.Arbitrary<Budget> = fc.record(
  {
    tokens: fc.integer({ min: 1, max: 150 }),
    cost_micros: fc.integer({ min: 1, max: 100 }),
    steps: fc.integer({ min: 1, max: 8 }),
    wall_seconds: fc.integer({ min: 1, max: 30 }),
  },
  { requiredKeys: [] },
);
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("reserve" as const), effect, need: amount }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("settle" as const), effect, share }) },
  fc.record({ do: fc.constantFrom("release" as const, "forfeit" as const), effect }),
  fc.record({ do: fc.constant("extend" as const), added: limit }),
);
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

/** What the budget must come to, kept in another way: lists of numbers, added up each time. */
class Books {
  readonly open = new Map<string, Reservation>();
  readonly spent: Reservation[] = [];
  begun = 0;

  total(unit: "tokens" | "cost_micros", apart?: string): number {
    const open = [...this.open].filter(([key]) => key !== apart).map(([, need]) => need);
    return [...this.spent, ...open].reduce((sum, one) => sum + one[unit], 0);
  }
}

function run(state: BudgetState, books: Books, one: Command, age: number): BudgetState {
  switch (one.do) {
    case "reserve": {
      const again = books.open.has(one.effect) ? 1 : 0;
      const over = (unit: "tokens" | "cost_micros"): boolean =>
        books.total(unit, one.effect) + one.need[unit] > (state.limit[unit] ?? Infinity);
      const refused =
        over("tokens") ||
        over("cost_micros") ||
        books.begun - again + 1 > (state.limit.steps ?? Infinity) ||
        age >= (state.limit.wall_seconds ?? Infinity);
      assert.equal(shortageOf(state, one.effect, one.need, age) !== undefined, refused);
      if (refused) {
        assert.throws(() => reserve(state, one.effect, one.need, age), code("BUDGET_EXCEEDED"));
        return state;
      }
      books.open.set(one.effect, one.need);
      books.begun += 1 - again;
      return reserve(state, one.effect, one.need, age);
    }
    case "settle": {
      const need = books.open.get(one.effect) ?? { tokens: 0, cost_micros: 0 };
      const used = {
        tokens: Math.floor((need.tokens * one.share) / 100),
        cost_micros: Math.floor((need.cost_micros * one.share) / 100),
      };
      books.open.delete(one.effect);
      books.spent.push(used);
      return settle(state, one.effect, used);
    }
    case "release":
      books.open.delete(one.effect);
      assert.deepEqual(release(release(state, one.effect), one.effect), release(state, one.effect));
      return release(state, one.effect);
    case "forfeit":
      books.spent.push(books.open.get(one.effect) ?? { tokens: 0, cost_micros: 0 });
      books.open.delete(one.effect);
      assert.deepEqual(forfeit(forfeit(state, one.effect), one.effect), forfeit(state, one.effect));
      return forfeit(state, one.effect);
    case "extend":
      return extend(state, one.added);
  }
}

test("whatever comes after what: spent and set aside never pass the limit, and nothing is lost or counted twice", (context) => {
  const commands = fc.array(fc.tuple(command, fc.integer({ min: 0, max: 2 })), { maxLength: 60 });
  check(
    context,
    fc.property(limit, commands, (first, told) => {
      let [state, age] = [newBudget(first), 0];
      const books = new Books();
      for (const [one, seconds] of told) {
        age += seconds;
        const before = state.limit;
        state = run(state, books, one, age);
        const aside = reservedTotal(state);
        for (const unit of ["tokens", "cost_micros"] as const) {
          assert.equal(state.spent[unit] + aside[unit], books.total(unit));
          assert.ok(state.spent[unit] + aside[unit] <= (state.limit[unit] ?? Infinity), `${unit} passed its limit`);
          assert.ok((state.limit[unit] ?? Infinity) >= (before[unit] ?? Infinity), "a limit went down");
        }
        assert.equal(state.spent.steps, books.begun);
        assert.ok(state.spent.steps <= (state.limit.steps ?? Infinity));
      }
    }),
  );
});

test("effects settle to the same in any order", (context) => {
  const effects = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 8 }), amount, share), {
    selector: ([name]) => name,
    maxLength: 12,
  });
  check(
    context,
    fc.property(effects, fc.infiniteStream(fc.nat()), (list, dice) => {
      const begun = list.reduce(
        (state, [name, need]) => reserve(state, name, need, 0),
        newBudget({ tokens: 1_000, cost_micros: 1_000 }),
      );
      const end = (order: typeof list): BudgetState =>
        order.reduce((state, [name, need, percent]) => {
          const used = { tokens: Math.floor((need.tokens * percent) / 100), cost_micros: need.cost_micros };
          return percent === 100 ? forfeit(state, name) : settle(state, name, used);
        }, begun);
      const rolled = list.map((one) => [dice.next().value ?? 0, one] as const);
      const shuffled = rolled.toSorted(([a], [b]) => a - b).map(([, one]) => one);
      assert.deepEqual(end(shuffled), end(list));
    }),
  );
});

const subjects = ["sess-1", "sess-2"].map((session_id) => ({ tenant: "tenant-a", session_id }));
const told = fc.record({
  session: fc.constantFrom(...subjects),
  step: fc.constantFrom("a", "b", "c"),
  need: amount,
  share,
  what: fc.constantFrom("intent", "intent", "outcome", "forfeited", "released", "end"),
  hours: fc.integer({ min: 0, max: 7 }),
});

test("a tenant's days: no day passes its quota, whatever its sessions do over midnight, and every end leaves nothing aside", (context) => {
  const quotas = fc.record({
    tokens_per_day: fc.integer({ min: 1, max: 150 }),
    cost_micros_per_day: fc.integer({ min: 1, max: 100 }),
  });
  check(
    context,
    fc.property(quotas, fc.array(told, { maxLength: 40 }), (bounds, stories) => {
      let days: TenantDays = { quotas: bounds, days: new Map(), held: new Map() };
      let at = Date.parse("2026-03-01T12:00:00.000Z");
      let round = 0;
      const tell = (event: NewEvent): void => {
        const place = { sequence: 1, prevhash: genesisHash, time: new Date(at).toISOString() };
        days = tenantDaysAfter(days, sealEvent(event, place).event);
      };
      for (const { session, step, need, share: percent, what, hours } of stories) {
        at += hours * 3_600_000;
        const before = days;
        const own = [...days.held.values()].filter(({ session_id }) => session_id === session.session_id);
        const held = own.find(({ effect_key }) => effect_key === keyIn(intent(session, step, need)));
        const used = (unit: "tokens" | "cost_micros"): number =>
          Math.floor(((held?.amount[unit] ?? 0) * percent) / 100);
        try {
          if (what === "intent") tell(intent(session, step, need, (round += 1)));
          if (what === "outcome") tell(outcome(session, step, used("tokens"), used("cost_micros")));
          if (what === "forfeited") tell(failure(session, step, "MODEL_UNAVAILABLE"));
          if (what === "released") tell(failure(session, step, "MODEL_PROMPT_TOO_LONG"));
          if (what === "end") tell(sessionFailed(session));
        } catch (error) {
          assert.ok(code("QUOTA_EXCEEDED")(error), String(error));
          assert.equal(days, before);
        }
        for (const [day, { spent, reserved }] of days.days) {
          const aside = [...days.held.values()].filter((one) => one.day === day).map(({ amount: one }) => one);
          for (const unit of ["tokens", "cost_micros"] as const) {
            const bound = unit === "tokens" ? bounds.tokens_per_day : bounds.cost_micros_per_day;
            assert.equal(
              reserved[unit],
              aside.reduce((sum, one) => sum + one[unit], 0),
              "set aside for nobody",
            );
            assert.ok(spent[unit] + reserved[unit] <= bound, `${day} passed its quota of ${unit}`);
          }
        }
      }
      for (const session of subjects) tell(sessionFailed(session));
      assert.equal(days.held.size, 0);
      for (const { reserved } of days.days.values()) assert.deepEqual(reserved, { tokens: 0, cost_micros: 0 });
    }),
  );
});

function keyIn(event: NewEvent): string {
  return event.type === "effect.intended" ? event.data.effect_key : "";
}
