import assert from "node:assert/strict";
import { test } from "node:test";
import { AccessReports } from "@soma/contracts/access";
import { isTenantId, type TenantId } from "@soma/contracts/ids";
import { Value } from "typebox/value";
import { createTestLog } from "../../../packages/kit/test/log-lines.ts";
import { RefusalReporter } from "../src/access/refusal-reporter.ts";
import { createGatewayMetrics } from "../src/gateway-metrics.ts";

function tenant(name: string): TenantId {
  assert.ok(isTenantId(name));
  return name;
}

/** A reporter whose windows the test ends, and the batches that it wanted to send; `takes` says which ones arrive. */
function reporter(takes: () => boolean = () => true) {
  const metrics = createGatewayMetrics();
  const log = createTestLog();
  const tried: AccessReports[] = [];
  const reports = new RefusalReporter({
    send: (batch) => {
      assert.ok(Value.Check(AccessReports, batch));
      tried.push(structuredClone(batch));
      return takes() ? Promise.resolve() : Promise.reject(new Error("not now"));
    },
    metrics,
    log: log.log,
    windowMs: 3_600_000,
  });
  const valueOf = async (name: "reportsDelivered" | "reportsLost") => (await metrics[name].get()).values[0]?.value ?? 0;
  return { reports, tried, metrics, log, valueOf };
}

test("a flood is one report for each tenant and reason, with how many and from when to when", async () => {
  const { reports, tried, metrics } = reporter();
  for (let count = 0; count < 10_000; count += 1) reports.refused("rate", tenant("a"));
  reports.refused("rate", tenant("b"));
  for (let count = 0; count < 3; count += 1) reports.refused("no_token", undefined);
  await reports.close();
  assert.equal(tried.length, 1);
  assert.deepEqual(
    tried[0]?.reports.map(({ tenant: of, reason, count }) => [of, reason, count]),
    [
      ["a", "rate", 10_000],
      ["b", "rate", 1],
      [undefined, "no_token", 3],
    ],
  );
  for (const { first_at, last_at } of tried[0]?.reports ?? []) assert.ok(first_at <= last_at);
  const counted = (await metrics.refusals.get()).values.map(({ labels, value }) => [labels.reason, value]);
  assert.deepEqual(counted, [
    ["rate", 10_001],
    ["no_token", 3],
  ]);
});

test("kinds are bounded: beyond it the reason is still told, without the tenant", async () => {
  const { reports, tried } = reporter();
  for (let index = 0; index < 5_000; index += 1) reports.refused("scope", tenant(`t${String(index)}`));
  await reports.close();
  const sent = tried.flatMap(({ reports: batch }) => batch);
  assert.equal(sent.length, 201);
  assert.equal(
    sent.reduce((sum, { count }) => sum + count, 0),
    5_000,
  );
  assert.equal(sent.find(({ tenant: of }) => of === undefined)?.count, 4_800);
});

test("what is not taken is sent again under its own id, and once it is taken no more", async () => {
  let open = false;
  const { reports, tried, valueOf } = reporter(() => open);
  reports.refused("rate", tenant("a"));
  await reports.flush();
  reports.refused("rate", tenant("a"));
  open = true;
  await reports.flush();
  await reports.flush();
  assert.equal(tried.length, 2);
  const [first, second] = tried;
  assert.equal(second?.reports.length, 2);
  assert.equal(second.reports[0]?.report_id, first?.reports[0]?.report_id);
  assert.equal(await valueOf("reportsDelivered"), 2);
  await reports.close();
  assert.equal(await valueOf("reportsLost"), 0);
});

test("what waits is bounded, the oldest are lost, and each lost one is counted; the log says it once", async () => {
  const { reports, valueOf, log } = reporter(() => false);
  for (let window = 0; window < 12; window += 1) {
    for (let index = 0; index < 200; index += 1) reports.refused("rate", tenant(`t${String(index)}`));
    await reports.flush();
  }
  assert.equal(await valueOf("reportsLost"), 400);
  await reports.close();
  assert.equal(await valueOf("reportsLost"), 2_400, "at the end what was not taken is lost");
  assert.equal(await valueOf("reportsDelivered"), 0);
  assert.equal(log.lines().length, 1);
});
