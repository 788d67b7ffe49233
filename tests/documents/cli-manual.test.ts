import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/stack/src/layout.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { runDocument } from "./run-document.ts";

test("the manual of the command line: its commands show what it says, against a real model", async (context) => {
  const home = mkdtempSync(join(tmpdir(), "soma-manual-"));
  context.after(() => {
    rmSync(home, { recursive: true, force: true });
  });
  // It asks its callers for tokens, as the one of a laptop's stack does not.
  const { api } = await startOrchestrator(context, { env: { AUTH_MODE: "required" } });
  const steps = await runDocument(
    join(root, "docs/user-manual/cli.md"),
    { "a stack runs": () => Promise.resolve() },
    { PATH: process.env["PATH"] ?? "", HOME: home, SOMA_URL: api.url, DEVELOPMENT_STACK: "--stack test" },
  );
  assert.ok(steps >= 8, `only ${String(steps)} steps`);
});
