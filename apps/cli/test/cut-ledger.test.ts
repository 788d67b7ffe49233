import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createTestLog } from "../../../packages/kit/test/log-lines.ts";
import { loadMasterKeys } from "../../../services/orchestrator/src/contents/master-keys.ts";
import { openSqliteLedger } from "../../../services/orchestrator/src/ledger/sqlite-ledger.ts";
import { RetentionSweep } from "../../../services/orchestrator/src/retention/retention-sweep.ts";
import { deniedPrompt, startApiStack } from "../../../tests/harness/api-stack.ts";
import { openShell } from "./run-soma.ts";

const api = await startApiStack({ after }, "cli-cut");
const soma = openShell({ after }, { SOMA_URL: api.url, SOMA_TOKEN: await api.token() });

const inAYear = (): Date => new Date(Date.now() + 366 * 86_400_000);

/** What a worker does once a minute, as it will be a year from now. */
async function keepForADay(): Promise<void> {
  const data = join(api.stack.runDir, "data/orchestrator");
  const path = join(data, "keys/content-master.key");
  const ledger = await openSqliteLedger({
    file: join(data, "ledger.sqlite"),
    masterKeys: loadMasterKeys({ variable: "CONTENT_MASTER_KEY_FILE", path }),
  });
  const { log } = createTestLog();
  await new RetentionSweep({ ledger, log, now: inAYear, delivered: false }).pass();
  await ledger.close();
}

test("a ledger that retention has cut is shown, exported and verified as one that begins later", async () => {
  const id = (await soma.run(["session", "start", deniedPrompt])).stdout.trim();
  await soma.run(["session", "watch", id]);
  const admin = await api.token("admin-demo", ["tenant.manage", "tenant.read"]);
  const set = await soma.run(["tenant", "update", "tenant-demo", "--retention-days", "1"], {
    env: { SOMA_TOKEN: admin },
  });
  assert.equal(set.code, 0, set.stderr);
  await keepForADay();
  const shown = await soma.run(["audit", "show", id]);
  assert.equal(shown.stderr, "Retention has cut events 1 to 2.\n");
  assert.match(shown.stdout, /\n3  +\S+  +user-demo  +session\.denied.*\n$/);
  const file = join(soma.home, "cut.ndjson");
  assert.deepEqual(await soma.json(["audit", "export", id, "--out", file]), { file, events: 1 });
  const [gap, event]: [{ gap: object }, { prevhash: string }] = JSON.parse(
    `[${readFileSync(file, "utf8").trim().split("\n").join(",")}]`,
  );
  assert.deepEqual(gap, { gap: { from: 1, to: 2, hash: event.prevhash } });
  for (const args of [[id], ["--file", file]]) {
    const verified = await soma.run(["audit", "verify", ...args]);
    assert.equal(verified.code, 0, verified.stderr);
    assert.match(verified.stdout, /events 1 to 2 were cut[^]*Everything holds\.\n$/);
  }
});
