import assert from "node:assert/strict";
import { test } from "node:test";
import type { NewEvent } from "@soma/contracts/audit";
import type { ErrorCode } from "@soma/contracts/error-codes";
import { projectSession } from "../../src/ledger/session-projection.ts";
import type { SessionProjection } from "../../src/ledger/session-row.ts";
import { tenantDaysAfter, type TenantDays } from "../../src/ledger/tenant-days.ts";
import { allowance, failure, intent, openingWith, outcome, sessionFailed } from "./budget-events.ts";
import type { LedgerUnderTest, OpenLedger } from "./ledger-suite.ts";
import { code } from "./refusal.ts";
import { openingOf } from "./sample-events.ts";
import { tenantCreated, tenantUpdated } from "./sample-tenants.ts";

const tenant = "tenant-a";
const subject = { tenant, session_id: "sess-1" };
/** No test of a day may run over midnight. */
const noon = (): Date => new Date("2026-03-01T12:00:00.000Z");
const day = { tenant, day: "2026-03-01" };
const one = { tokens: 10, cost_micros: 7 };
const nothing = { tokens: 0, cost_micros: 0 };

/** How many of many appends at once were let in; the others were refused with this code and no other. */
async function admitted(appends: readonly Promise<unknown>[], refusal: ErrorCode): Promise<number> {
  const settled = await Promise.allSettled(appends);
  for (const each of settled)
    if (each.status === "rejected") assert.ok(code(refusal)(each.reason), String(each.reason));
  return settled.filter(({ status }) => status === "fulfilled").length;
}

async function budgetOf({ ledger }: LedgerUnderTest, sessionId = "sess-1") {
  const row = await ledger.findSession({ tenant, sessionId });
  assert.ok(row?.budget);
  return row.budget;
}

export function describeBudgets(open: OpenLedger): void {
  test("200 effects at once on a session's budget for 100: exactly 100 begin, over two handles, and settle to what was used", async () => {
    await using store = await open({ now: noon });
    const other = await store.reopen();
    await store.ledger.openSession(openingWith(subject, { tokens: 1_000, cost_micros: 700, steps: 150 }));
    await store.ledger.append([allowance(subject)]);
    const handle = (index: number) => (index % 2 === 0 ? store.ledger : other);
    const intents = Array.from({ length: 200 }, (_, index) =>
      handle(index).append([intent(subject, `completion-${index}`, one)]),
    );
    assert.equal(await admitted(intents, "BUDGET_EXCEEDED"), 100);
    assert.equal(Object.keys((await budgetOf(store)).reserved).length, 100);
    const events = await store.ledger.readEvents({ tenant, sessionId: "sess-1", after: 2, limit: 1000 });
    const begun = events.map(({ data }) => String(data["step"]));
    assert.equal(begun.length, 100);
    await Promise.all(begun.map((step, index) => handle(index).append([outcome(subject, step, 4, 3)])));
    const { spent, reserved } = await budgetOf(store);
    assert.deepEqual([spent, reserved], [{ tokens: 400, cost_micros: 300, steps: 100 }, {}]);
    // What was not used can be: 60 more of 10, until the steps are at their end.
    const more = Array.from({ length: 100 }, (_, index) =>
      handle(index).append([intent(subject, `more-${index}`, one)]),
    );
    assert.equal(await admitted(more, "BUDGET_EXCEEDED"), 50);
    assert.equal((await budgetOf(store)).spent.steps, 150);
  });

  test("200 effects at once in ten sessions on a tenant's day for 100: exactly 100 begin, over two handles", async () => {
    await using store = await open({ now: noon });
    const other = await store.reopen();
    const { ledger } = store;
    await ledger.tenants.append({
      events: [tenantCreated(tenant, { tokens_per_day: 1_009, cost_micros_per_day: 700 })],
    });
    const sessions = Array.from({ length: 10 }, (_, index) => ({ tenant, session_id: `sess-${index}` }));
    for (const session of sessions) {
      await ledger.openSession(openingOf(session));
      await ledger.append([allowance(session)]);
    }
    // The day has begun: who makes its row waits for nobody any more, and what holds is the lock alone.
    await ledger.append([intent(subject, "first", one), outcome(subject, "first", 0, 0)]);
    const handle = (index: number) => (index % 2 === 0 ? ledger : other);
    const intents = Array.from({ length: 200 }, (_, index) =>
      handle(index).append([intent(sessions[index % 10] ?? subject, `completion-${index}`, one)]),
    );
    assert.equal(await admitted(intents, "QUOTA_EXCEEDED"), 100);
    assert.deepEqual(await ledger.tenants.useOn(day), {
      spent: nothing,
      reserved: { tokens: 1_000, cost_micros: 700 },
    });
    // Another tenant has days of its own.
    const stranger = { tenant: "tenant-b", session_id: "sess-b" };
    await ledger.tenants.append({ events: [tenantCreated("tenant-b", { tokens_per_day: 10 })] });
    await ledger.openSession(openingOf(stranger));
    await ledger.append([allowance(stranger), intent(stranger, "completion-1", one)]);
    // Ends of sessions and outcomes at once, over both handles: nothing stays behind, and nobody waits for anybody for good.
    const events = (await Promise.all(sessions.map(({ session_id }) => eventsOf(store, session_id)))).flat();
    const begun = events.filter(({ type, data }) => type === "effect.intended" && data["step"] !== "first");
    const outcomes = begun.map(({ subject: session_id, data }, index) =>
      handle(index).append([outcome({ tenant, session_id }, String(data["step"]), 4, 3)]),
    );
    await Promise.all(outcomes);
    assert.deepEqual(await ledger.tenants.useOn(day), { spent: { tokens: 400, cost_micros: 300 }, reserved: nothing });
    assert.deepEqual(await heldIn(store, tenant), []);
    assert.equal((await ledger.tenants.usage(day)).cost_micros_today, 300);
  });

  test("an outcome settles once, a failure forfeits unless nothing ran, an end takes what is left, and a second round replaces", async () => {
    await using store = await open({ now: noon });
    const { ledger } = store;
    await ledger.tenants.append({ events: [tenantCreated(tenant, { tokens_per_day: 1_000 })] });
    await ledger.openSession(openingWith(subject, { tokens: 1_000 }));
    await ledger.append([allowance(subject)]);
    const use = async (): Promise<number[]> => {
      const { spent, reserved } = await ledger.tenants.useOn(day);
      const budget = await budgetOf(store);
      const held = Object.values(budget.reserved).reduce((sum, { tokens }) => sum + tokens, 0);
      assert.deepEqual([budget.spent.tokens, held], [spent.tokens, reserved.tokens], "session and day differ");
      return [spent.tokens, reserved.tokens];
    };
    const tell = async (...events: NewEvent[]): Promise<number[]> => {
      await ledger.append(events);
      await ledger.append(events);
      return use();
    };
    assert.deepEqual(await tell(intent(subject, "a", { tokens: 100, cost_micros: 0 })), [0, 100]);
    assert.deepEqual(await tell(intent(subject, "a", { tokens: 300, cost_micros: 0 }, 2)), [0, 300]);
    assert.deepEqual(await tell(outcome(subject, "a", 50)), [50, 0]);
    assert.deepEqual(await tell(intent(subject, "b", { tokens: 200, cost_micros: 0 })), [50, 200]);
    assert.deepEqual(await tell(failure(subject, "b", "MODEL_PROMPT_TOO_LONG")), [50, 0]);
    assert.deepEqual(await tell(intent(subject, "c", { tokens: 200, cost_micros: 0 })), [50, 200]);
    assert.deepEqual(await tell(failure(subject, "c", "MODEL_UNAVAILABLE")), [250, 0]);
    assert.deepEqual(await tell(intent(subject, "d", { tokens: 700, cost_micros: 0 })), [250, 700]);
    // More than was set aside, as a target that does not keep to its cap reports it.
    assert.deepEqual(
      await tell(intent(subject, "e", { tokens: 10, cost_micros: 0 }), outcome(subject, "e", 45)),
      [295, 700],
    );
    await assert.rejects(ledger.append([intent(subject, "f", { tokens: 6, cost_micros: 0 })]), code("BUDGET_EXCEEDED"));
    await ledger.append([sessionFailed(subject)]);
    const after = await budgetOf(store);
    assert.deepEqual([after.spent.tokens, after.reserved], [995, {}]);
    assert.deepEqual(await ledger.tenants.useOn(day), { spent: { tokens: 995, cost_micros: 0 }, reserved: nothing });
    assert.deepEqual(await heldIn(store, tenant), []);
  });

  test("what was set aside before midnight settles on its own day; the new day is whole", async () => {
    let now = Date.parse("2026-03-01T23:59:59.500Z");
    await using store = await open({ now: () => new Date(now) });
    const { ledger } = store;
    await ledger.tenants.append({ events: [tenantCreated(tenant, { tokens_per_day: 20 })] });
    await ledger.openSession(openingOf(subject));
    const need = { tokens: 20, cost_micros: 0 };
    await ledger.append([allowance(subject), intent(subject, "a", need)]);
    await assert.rejects(ledger.append([intent(subject, "b", need)]), code("QUOTA_EXCEEDED"));
    now += 1_000;
    await ledger.append([intent(subject, "b", need)]);
    await ledger.append([outcome(subject, "a", 12)]);
    const on = (date: string) => ledger.tenants.useOn({ tenant, day: date });
    assert.deepEqual(await on("2026-03-01"), { spent: { tokens: 12, cost_micros: 0 }, reserved: nothing });
    assert.deepEqual(await on("2026-03-02"), { spent: nothing, reserved: need });
    // Decided anew on the next day, an effect moves there with all that was set aside for it.
    now = Date.parse("2026-03-03T00:00:00.000Z");
    await ledger.append([intent(subject, "b", { tokens: 19, cost_micros: 0 }, 2)]);
    assert.deepEqual(await on("2026-03-02"), { spent: nothing, reserved: nothing });
    assert.deepEqual(await on("2026-03-03"), { spent: nothing, reserved: { tokens: 19, cost_micros: 0 } });
    await ledger.append([sessionFailed(subject)]);
    assert.deepEqual(await on("2026-03-03"), { spent: { tokens: 19, cost_micros: 0 }, reserved: nothing });
  });

  test("a quota that is raised holds for the next intent; a refused one takes nothing, nor do its neighbours pay", async () => {
    await using store = await open({ now: noon });
    const { ledger } = store;
    await ledger.tenants.append({ events: [tenantCreated(tenant, { tokens_per_day: 10 })] });
    await ledger.openSession(openingOf(subject));
    await ledger.append([allowance(subject)]);
    const outcomes = await Promise.allSettled([
      ledger.append([intent(subject, "a", { tokens: 6, cost_micros: 0 })]),
      ledger.append([intent(subject, "b", { tokens: 6, cost_micros: 0 })]),
      ledger.append([intent(subject, "c", { tokens: 4, cost_micros: 0 })]),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    await ledger.tenants.append({ events: [tenantUpdated(tenant, "more", { tokens_per_day: 16 })] });
    await ledger.append([intent(subject, "b", { tokens: 6, cost_micros: 0 })]);
    const { reserved } = await ledger.tenants.useOn(day);
    assert.equal(reserved.tokens, 16);
  });

  test("budget and days are what a replay of the events gives", async () => {
    await using store = await open({ now: noon });
    const { ledger } = store;
    await ledger.tenants.append({ events: [tenantCreated(tenant, { tokens_per_day: 500, cost_micros_per_day: 500 })] });
    await ledger.openSession(openingWith(subject, { tokens: 400, cost_micros: 400 }));
    await ledger.append([allowance(subject)]);
    for (let index = 0; index < 12; index += 1) {
      const step = `s-${index}`;
      await ledger.append([intent(subject, step, { tokens: 20, cost_micros: 9 })]);
      if (index % 3 === 0) await ledger.append([outcome(subject, step, index, 2)]);
      if (index % 3 === 1) await ledger.append([failure(subject, step, "MODEL_UNAVAILABLE")]);
    }
    const events = await eventsOf(store, "sess-1");
    let session: SessionProjection | undefined;
    let days: TenantDays = { quotas: {}, days: new Map(), held: new Map() };
    for (const event of events) {
      session = projectSession(session, event);
      days = tenantDaysAfter(days, event);
    }
    assert.deepEqual(await budgetOf(store), session?.budget);
    assert.deepEqual(await ledger.tenants.useOn(day), days.days.get(day.day));
    assert.equal((await heldIn(store, tenant)).length, days.held.size);
  });
}

async function eventsOf({ ledger }: LedgerUnderTest, sessionId: string) {
  return ledger.readEvents({ tenant, sessionId, after: 0, limit: 1_000 });
}

/** What is still set aside, as the table says. */
async function heldIn(store: LedgerUnderTest, owner: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const ask = (table: string) => store.sql(`SELECT effect_key FROM ${table} WHERE tenant = '${owner}'`);
  return ask("tenant_reservations").catch(() => ask("soma.tenant_reservations"));
}
