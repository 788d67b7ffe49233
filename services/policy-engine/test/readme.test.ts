import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadPack } from "../src/packs/load-pack.ts";

test("the pack in the README is good as it stands", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const pack = /```yaml\n(?<text>[\s\S]*?)```/.exec(readme)?.groups?.["text"];
  assert.ok(pack);
  const loaded = loadPack("tenant-example.yaml", Buffer.from(pack), "readme.test");
  assert.deepEqual(loaded.ok ? [] : loaded.problems, []);
});
