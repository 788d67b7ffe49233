import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { findViolations } from "./source-wall.ts";

const folder = new URL("../../src/workflows/", import.meta.url);
const contracts = new URL("../../../../packages/contracts/src/", import.meta.url);

test("P18: no workflow reads settings, the clock or chance, or loads what it must not", () => {
  const files = readdirSync(folder);
  assert.ok(files.includes("session-start-workflow.ts") && files.includes("governed-step.ts"));
  for (const file of files) assert.deepEqual(findViolations(readFileSync(new URL(file, folder), "utf8")), [], file);
});

test("what workflows load of the contracts loads nothing itself", () => {
  for (const file of ["wire-names.ts", "error-codes.ts"])
    assert.doesNotMatch(readFileSync(new URL(file, contracts), "utf8"), /^(import|export)\b.*\bfrom\b/m, file);
});

const violations: readonly [source: string, finding: string][] = [
  ['import { readFileSync } from "node:fs";', "loads node:fs"],
  ['import fs from "node:fs";', "loads node:fs"],
  ['import * as os from "node:os";', "loads node:os"],
  ['import "node:fs";', "loads node:fs"],
  ['import {\n  a,\n  type B,\n} from "@temporalio/client";', "loads @temporalio/client"],
  ['import { Value } from "typebox/value";', "loads typebox/value"],
  ['import { EventData } from "@soma/contracts/audit";', "loads @soma/contracts/audit"],
  ['import { DomainError } from "@soma/kit/domain-error";', "loads @soma/kit/domain-error"],
  ['import { decide } from "../permits/decide.ts";', "loads ../permits/decide.ts"],
  ['export { decide } from "../permits/decide.ts";', "loads ../permits/decide.ts"],
  ['export { decide as "decide-it" } from "../permits/decide.ts";', "loads ../permits/decide.ts"],
  ['export * from "node:fs";', "loads node:fs"],
  ['import { x } from "./../config.ts";', "loads ./../config.ts"],
  ['const queue = process.env["TEMPORAL_TASK_QUEUE"];', "uses process (settings)"],
  ["const now = Date.now();", "uses the wall clock"],
  ["const now = new Date();", "uses the wall clock"],
  ["const at = performance.now();", "uses the wall clock"],
  ["const luck = Math.random();", "uses chance"],
  ["const id = crypto.randomUUID();", "uses chance"],
  ["setTimeout(run, 10);", "uses a timer of Node's"],
  ['await fetch("http://x");', "uses the network"],
  ['const fs = await import("node:fs");', "uses the way around all this"],
  ['const fs = require("node:fs");', "uses the way around all this"],
  ["globalThis.x = 1;", "uses the way around all this"],
  ['console.log("x");', "uses a log that a replay would repeat"],
];

for (const [source, finding] of violations) {
  test(`the wall sees ${JSON.stringify(source)}`, () => {
    assert.deepEqual(findViolations(source), [finding]);
  });
}

test("the wall lets pass what is harmless", () => {
  const source = `
    import { proxyActivities, sleep } from "@temporalio/workflow";
    import { slmAudience } from "@soma/contracts/wire-names";
    import { isErrorCode, type ErrorCode } from "@soma/contracts/error-codes";
    import { governedStep } from "./governed-step.ts";
    // process.env and Date.now() stand in a comment only
    /* and so does fetch */
    export { governedStep as "governed-step" } from "./governed-step.ts";
    export const step = "completion-1";
    const text = "process.env, Date.now(), fetch";
  `.replaceAll(/^ {4}/gm, "");
  const types = 'import type { Ledger } from "../ledger/ledger.ts";\nimport type { Stats } from "node:fs";\n';
  assert.deepEqual(findViolations(types + source), []);
});
