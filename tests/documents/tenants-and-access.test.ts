import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/stack/src/layout.ts";
import { openDoor } from "../harness/door.ts";
import { runDocument } from "./run-document.ts";

test("the page of tenants and access: its commands show what it says, through the gateway", async (context) => {
  const home = mkdtempSync(join(tmpdir(), "soma-tenants-"));
  context.after(() => {
    rmSync(home, { recursive: true, force: true });
  });
  const { gateway } = await openDoor(context);
  const steps = await runDocument(
    join(root, "docs/technical-manual/tenants-and-access.md"),
    { "a stack runs": () => Promise.resolve() },
    { PATH: process.env["PATH"] ?? "", HOME: home, SOMA_URL: gateway.url, DEVELOPMENT_STACK: "--stack test" },
  );
  assert.ok(steps >= 7, `only ${String(steps)} steps`);
});
