import assert from "node:assert/strict";
import { test } from "node:test";
import { isTenantId, type TenantId } from "@soma/contracts/ids";
import { defaultQuotas, type TenantAdmission } from "@soma/contracts/tenant";
import { createTestLog } from "../../../packages/kit/test/log-lines.ts";
import { TenantAdmissions } from "../src/tenants/tenant-admissions.ts";

function tenantId(name: string): TenantId {
  assert.ok(isTenantId(name));
  return name;
}
const tenant = tenantId("tenant-demo");
const suspended: TenantAdmission = {
  tenant,
  status: "suspended",
  quotas: { ...defaultQuotas, streams: 7 },
  usage: { running_sessions: 1, tokens_today: 2 },
};

/** Admissions that ask the test, on the test's clock. */
function admissions(ask: () => Promise<TenantAdmission | undefined>) {
  const state = { now: 0, asked: 0 };
  const log = createTestLog();
  const known = new TenantAdmissions({
    ask: () => {
      state.asked += 1;
      return ask();
    },
    log: log.log,
    clock: () => state.now,
  });
  return { state, known, log };
}

test("an answer counts for two seconds, and many requests ask once", async () => {
  const { state, known } = admissions(() => Promise.resolve(suspended));
  const answers = await Promise.all(Array.from({ length: 50 }, () => known.admissionOf(tenant)));
  assert.ok(answers.every((answer) => answer === suspended));
  state.now = 1_999;
  await known.admissionOf(tenant);
  assert.equal(state.asked, 1);
  state.now = 2_000;
  await known.admissionOf(tenant);
  assert.equal(state.asked, 2);
});

test("an answer of some seconds serves while the next is on its way; an older one is waited for", async () => {
  const next: TenantAdmission = { ...suspended, status: "active" };
  const gate = Promise.withResolvers<TenantAdmission>();
  const answers = [Promise.resolve(suspended), gate.promise, Promise.resolve(suspended)];
  const { state, known } = admissions(() => answers.shift() ?? Promise.reject(new Error("asked too often")));
  await known.admissionOf(tenant);
  state.now = 9_999;
  assert.equal((await known.admissionOf(tenant)).status, "suspended");
  assert.equal(state.asked, 2);
  state.now = 10_000;
  const waits = known.admissionOf(tenant);
  gate.resolve(next);
  assert.equal((await waits).status, "active");
  assert.equal(state.asked, 2);
});

test("a tenant without settings has the default quotas", async () => {
  const { known } = admissions(() => Promise.resolve(undefined));
  const { status, quotas } = await known.admissionOf(tenant);
  assert.deepEqual([status, quotas], ["active", defaultQuotas]);
});

test("while there is no answer the last one counts, asked for once in two seconds, and the log says it once", async () => {
  let away = false;
  const { state, known, log } = admissions(() =>
    away ? Promise.reject(new Error("away")) : Promise.resolve(suspended),
  );
  await known.admissionOf(tenant);
  away = true;
  for (let second = 2; second <= 9; second += 1) {
    state.now = second * 1_000;
    assert.equal((await known.admissionOf(tenant)).status, "suspended");
  }
  assert.equal(state.asked, 5);
  assert.equal(log.lines().length, 1);
  const other = await known.admissionOf(tenantId("tenant-new"));
  assert.deepEqual([other.tenant, other.quotas], ["tenant-new", defaultQuotas]);
});
