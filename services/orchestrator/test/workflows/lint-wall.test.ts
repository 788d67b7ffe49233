import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** Lints one file at a place of its own under the project's real configuration; gives the imports that are refused. */
function refusedImports(t: TestContext, place: string, source: string): string[] {
  const scratch = mkdtempSync(join(tmpdir(), "soma-lint-"));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  copyFileSync(join(root, ".oxlintrc.json"), join(scratch, ".oxlintrc.json"));
  mkdirSync(join(scratch, dirname(place)), { recursive: true });
  writeFileSync(join(scratch, place), source);
  let output: string;
  try {
    output = execFileSync(join(root, "node_modules/.bin/oxlint"), ["--format=json", "."], {
      cwd: scratch,
      encoding: "utf8",
    });
  } catch (error) {
    // It ends with 1 when it finds something.
    output = String(Reflect.get(Object(error), "stdout"));
  }
  const report: { number_of_files: number; diagnostics: { code: string; severity: string; message: string }[] } =
    JSON.parse(output);
  assert.equal(report.number_of_files, 1, "the file was not linted");
  return report.diagnostics
    .filter(({ code, severity }) => code === "eslint(no-restricted-imports)" && severity === "error")
    .map(({ message }) => /^'([^']+)'/.exec(message)?.[1] ?? message);
}

const workflow = "services/orchestrator/src/workflows/scratch.ts";
const imports = (kind: "import" | "import type", ...from: readonly string[]): string =>
  from
    .map((each, index) => `${kind} { X as X${String(index)} } from "${each}";`)
    .concat(`export const used = [${from.map((_each, index) => `X${String(index)}`).join(", ")}];`)
    .join("\n");

const outside = [
  "node:fs",
  "fs",
  "node:process",
  "@temporalio/client",
  "@temporalio/worker",
  "@temporalio/activity",
  "@soma/kit/config",
  "@soma/kit/domain-error",
  "@soma/contracts/audit",
  "@soma/contracts/session",
  "typebox",
  "../config.ts",
  "../activities/perform-effect.ts",
  "../permits/decide.ts",
  "../../src/config.ts",
];

test("P18: lint refuses each value that a workflow would load from outside its sandbox", (t) => {
  assert.deepEqual(refusedImports(t, workflow, imports("import", ...outside)).toSorted(), outside.toSorted());
});

test("lint lets a workflow load the SDK, literal contracts and its neighbours, and know any type", (t) => {
  const inside = [
    "@temporalio/workflow",
    "@temporalio/common",
    "@soma/contracts/wire-names",
    "@soma/contracts/error-codes",
    "./governed-step.ts",
  ];
  assert.deepEqual(refusedImports(t, workflow, imports("import", ...inside)), []);
  assert.deepEqual(refusedImports(t, workflow, imports("import type", ...outside)), []);
});

test("lint refuses that contracts load anything but TypeBox and each other", (t) => {
  const place = "packages/contracts/src/scratch.ts";
  const others = ["node:crypto", "@soma/kit/digest", "fastify", "../../kit/src/digest.ts"];
  assert.deepEqual(refusedImports(t, place, imports("import", ...others)).toSorted(), others.toSorted());
  assert.deepEqual(refusedImports(t, place, imports("import", "typebox", "./ids.ts")), []);
});

test("lint refuses that a service loads another service", (t) => {
  const place = "services/policy-engine/src/routes/scratch.ts";
  const others = [
    "@soma/orchestrator/src/config.ts",
    "@soma/identity-service",
    "../../../services/orchestrator/src/app.ts",
  ];
  assert.deepEqual(refusedImports(t, place, imports("import", ...others)).toSorted(), others.toSorted());
  assert.deepEqual(refusedImports(t, place, imports("import", "@soma/kit/config", "../evaluate.ts")), []);
});

test("lint refuses that the client loads anything but its own files, types included", (t) => {
  const place = "packages/client/src/scratch.ts";
  const others = ["node:crypto", "typebox", "@soma/contracts/session", "../../kit/src/digest.ts"];
  assert.deepEqual(refusedImports(t, place, imports("import type", ...others)).toSorted(), others.toSorted());
  assert.deepEqual(refusedImports(t, place, imports("import", "./transport.ts", "./generated/orchestrator.ts")), []);
});

test("lint refuses that an app has a private door", (t) => {
  const place = "apps/cli/src/scratch.ts";
  const others = [
    "@soma/contracts/session",
    "@soma/kit/config",
    "@soma/stack",
    "../../../services/orchestrator/src/app.ts",
    "../../../scripts/soma-verify.ts",
  ];
  assert.deepEqual(refusedImports(t, place, imports("import type", ...others)).toSorted(), others.toSorted());
  assert.deepEqual(refusedImports(t, place, imports("import", "@soma/client/client", "node:fs", "commander")), []);
});
