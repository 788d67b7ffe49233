import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { before, test } from "node:test";
import { DeterminismViolationError } from "@temporalio/workflow";
import {
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from "@temporalio/worker";
import { buildWorkflowBundle } from "../src/temporal/session-worker.ts";

const folder = new URL("./histories/", import.meta.url);
const kinds = [
  "approved",
  "canceled-in-the-model-call",
  "canceled-while-waiting-for-policy",
  "completed",
  "conversation-interrupted-paused-and-ended",
  "conversation-tried-again",
  "decided-anew-after-its-permit-expired",
  "denied",
  "failed-identity-denied",
  "failed-model-not-found",
  "waited-for-policy",
];

let workflowBundle: WorkflowBundleWithSourceMap;

before(async () => {
  // What the last test provokes is told by its assertion and not by pages of log.
  const filter = makeTelemetryFilterString({ core: "ERROR", other: "ERROR" });
  Runtime.install({ logger: new DefaultLogger("ERROR"), telemetryOptions: { logging: { filter } } });
  workflowBundle = await buildWorkflowBundle();
});

function readHistory(kind: string): unknown {
  return JSON.parse(readFileSync(new URL(`${kind}.json`, folder), "utf8"));
}

test("there is a history of each kind of session", () => {
  assert.deepEqual(
    readdirSync(folder).toSorted((a, b) => a.localeCompare(b)),
    kinds.map((kind) => `${kind}.json`),
  );
});

for (const kind of kinds) {
  test(`today's code follows the history ${kind}`, async () => {
    await Worker.runReplayHistory({ workflowBundle }, readHistory(kind));
  });
}

test("a change that running sessions could not follow is found by every history", async () => {
  const changed = await buildWorkflowBundle(new URL("./changed-workflow.ts", import.meta.url));
  for (const kind of kinds) {
    await assert.rejects(
      Worker.runReplayHistory({ workflowBundle: changed }, readHistory(kind)),
      DeterminismViolationError,
      kind,
    );
  }
});
