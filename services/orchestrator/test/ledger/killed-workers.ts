import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { dayOf } from "../../src/ledger/tenant-store.ts";
import { allowance, intent, openingWith, outcome, worst } from "./budget-events.ts";
import { tenantCreated } from "./sample-tenants.ts";
import { runWriter } from "./writer-process.ts";

const tenant = "tenant-a";
const effects = 1_200;
const workers = 6;
const sessions = ["sess-0", "sess-1"];

/**
 * Six processes that begin effects and settle them, ended by SIGKILL at moments of their own, between an intent and its
 * outcome, too. Their steps are tried again, as Temporal does it, and others go on: in the end the budgets took exactly as
 * many effects as they have room for, to the last token. A leak would leave fewer, and a double count as well.
 *
 * @param store what `budget-child.ts` opens: a file or a URL
 */
export async function killSixWorkers(context: TestContext, store: string, open: () => Promise<Ledger>): Promise<void> {
  const ledger = await open();
  try {
    // The sessions' budgets and the day come to their end together; over midnight the sessions' alone do.
    const quotas = { tokens_per_day: effects * worst.tokens, cost_micros_per_day: effects * worst.cost_micros };
    await ledger.tenants.append({ events: [tenantCreated(tenant, quotas)] });
    const budget = { tokens: (effects / 2) * worst.tokens, cost_micros: effects * worst.cost_micros };
    for (const session_id of sessions) {
      await ledger.openSession(openingWith({ tenant, session_id }, budget));
      await ledger.append([allowance({ tenant, session_id })]);
    }
    const started = new Date();
    const args = (index: number): string[] => [store, sessions[index % 2] ?? "", `worker-${String(index)}`];
    await Promise.all(
      Array.from({ length: workers }, (_, index) => runWriter(args(index), Math.floor(Math.random() * 200), "budgets")),
    );
    const unsettled = (await Promise.all(sessions.map((id) => retrySteps(ledger, id)))).flat();
    for (let index = 0; index < sessions.length; index += 1)
      await runWriter([...args(index).slice(0, 2), `last-${String(index)}`], undefined, "budgets");
    for (const sessionId of sessions) {
      const { spent, reserved } = (await ledger.findSession({ tenant, sessionId }))?.budget ?? {};
      const half = effects / 2;
      const all = { tokens: half * worst.tokens, cost_micros: half * worst.cost_micros, steps: half };
      assert.deepEqual([spent, reserved], [all, {}]);
    }
    const days = [...new Set([dayOf(started), dayOf(new Date())])];
    const uses = await Promise.all(days.map((day) => ledger.tenants.useOn({ tenant, day })));
    const sum = (of: "spent" | "reserved") => uses.reduce((total, use) => total + use[of].tokens, 0);
    assert.deepEqual([sum("spent"), sum("reserved")], [effects * worst.tokens, 0]);
    context.diagnostic(`${String(unsettled.length)} effects had no outcome when their worker was killed`);
  } finally {
    await ledger.close();
  }
}

/** Every step that has begun and not ended: its intent and its outcome again, twice. */
async function retrySteps(ledger: Ledger, session_id: string): Promise<string[]> {
  const events = await ledger.readEvents({ tenant, sessionId: session_id, after: 0, limit: 1_000_000 });
  const steps = (type: string): string[] =>
    events.filter((event) => event.type === type).map(({ data }) => String(data["step"]));
  const ended = new Set(steps("effect.completed"));
  const open = steps("effect.intended").filter((step) => !ended.has(step));
  const subject = { tenant, session_id };
  for (const step of [...open, ...open]) {
    await ledger.append([intent(subject, step, worst)]);
    await ledger.append([outcome(subject, step, worst.tokens, worst.cost_micros)]);
  }
  return open;
}
