import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/stack/src/layout.ts";
import { openDoor } from "../harness/door.ts";
import { runDocument } from "./run-document.ts";

test("the tutorial of a conversation with an approval: two people, through the gateway, against a real model", async (context) => {
  const home = mkdtempSync(join(tmpdir(), "soma-tutorial-"));
  context.after(() => {
    rmSync(home, { recursive: true, force: true });
  });
  const { gateway } = await openDoor(context);
  const steps = await runDocument(
    join(root, "docs/user-manual/a-conversation-with-an-approval.md"),
    { "a stack runs": () => Promise.resolve() },
    {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      SOMA_URL: gateway.url,
      DEVELOPMENT_STACK: "--stack test",
      TALK: `talk-${crypto.randomUUID()}`,
    },
  );
  assert.ok(steps >= 10, `only ${String(steps)} steps`);
});
