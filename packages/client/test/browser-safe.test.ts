import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const sources = globSync("src/**/*.ts", { cwd: folder });

test("the client is made of its own files alone: nothing that a browser would have to get elsewhere", () => {
  assert.ok(sources.length > 10, `only ${String(sources.length)} files`);
  for (const file of sources) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, from = ""] of text.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*"([^"]+)"/g))
      assert.match(from, /^\.\/[a-z/-]+\.ts$/, `${file} imports ${from}`);
  }
});

test("the client's types hold where there is no Node, only what browsers have", () => {
  // Under these settings `process`, `Buffer` and `node:*` are unknown names.
  execFileSync(process.execPath, [join(folder, "../../node_modules/typescript/bin/tsc"), "-p", folder], {
    stdio: "pipe",
  });
});
