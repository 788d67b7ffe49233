import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/stack/src/layout.ts";
import { startStack } from "../../scripts/stack/src/start-stack.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { runDocument } from "./run-document.ts";

test("the manual of the command line: its commands show what it says, against a real model", async (context) => {
  const home = mkdtempSync(join(tmpdir(), "soma-manual-"));
  const { urls } = stackUnderTest();
  const name = `cli-manual-${String(process.pid)}`;
  // Callers are asked for tokens, and the model is the one that the shared stack has.
  const stack = await startStack({
    name,
    parts: ["orchestrator"],
    env: { orchestrator: { AUTH_MODE: "required", SLM_BASE_URL: urls.slm } },
  });
  context.after(async () => {
    await stack.stop();
    rmSync(stack.runDir, { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  });
  const steps = await runDocument(
    join(root, "docs/user-manual/cli.md"),
    { "a stack runs": () => Promise.resolve() },
    { PATH: process.env["PATH"] ?? "", HOME: home, DEVELOPMENT_STACK: `--stack ${name}`, PWD: root },
  );
  assert.ok(steps >= 8, `only ${String(steps)} steps`);
});
