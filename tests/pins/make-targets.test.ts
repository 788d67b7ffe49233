import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const make = (...targets: string[]): string =>
  execFileSync("make", ["--no-print-directory", ...targets], { cwd: root, encoding: "utf8" });
const promised = [
  "help",
  "setup",
  "check",
  "test",
  "test-e2e",
  "test-long",
  "chaos",
  "demo",
  "dev-up",
  "dev-down",
  "dev-status",
  "bench",
  "bench-full",
];

test("the make targets that documents promise are there, and help tells each in words", () => {
  const makefile = readFileSync(new URL("../../Makefile", import.meta.url), "utf8");
  const help = make("help");
  const phony = new Set(/^\.PHONY: (.+)$/m.exec(makefile)?.[1]?.split(" "));
  for (const target of promised) {
    assert.match(makefile, new RegExp(`^${target}:`, "m"), target);
    assert.ok(phony.has(target), `${target} is not .PHONY`);
    assert.match(help, new RegExp(`^ *make ${target} +\\S+ \\S+`, "m"), `${target} is not in make help`);
  }
});

test("make without a target is help", () => {
  assert.equal(make(), make("help"));
});

test("each of them can be planned: what it depends on is there", () => {
  for (const target of promised) execFileSync("make", ["--dry-run", target], { cwd: root, stdio: "pipe" });
});
