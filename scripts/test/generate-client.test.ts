import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

function generate(...args: readonly string[]) {
  return spawnSync(process.execPath, [join(root, "scripts/generate-client.ts"), ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
}

test("the client's types are those of the OpenAPI document", () => {
  const { status, stderr } = generate("--check");
  assert.equal(stderr, "");
  assert.equal(status, 0);
});

test("types that were changed by hand are named, and the check fails", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "soma-client-types-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "types.ts");
  assert.equal(generate("--out", file).status, 0);
  assert.match(readFileSync(file, "utf8"), /"\/v1\/sessions\/\{id\}\/events"/);
  appendFileSync(file, "\n");
  const { status, stderr } = generate("--check", "--out", file);
  assert.equal(status, 1);
  assert.equal(stderr.split("\n")[0], `stale: ${file}`);
});

test("the typescript of the generator stays its own: the project's compiler is another", () => {
  assert.equal(version("scripts/openapi-types/node_modules/typescript/package.json"), "5.9.3");
  assert.equal(version("node_modules/typescript/package.json"), "7.0.2");
});

function version(manifestFile: string): string {
  const manifest: { version: string } = JSON.parse(readFileSync(join(root, manifestFile), "utf8"));
  return manifest.version;
}
