import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("the code for OpenAI's SDKs in the user manual is that of the files which the system tests run", () => {
  const blocks = [...read("docs/user-manual/openai-clients.md").matchAll(/```(ts|python)\n(.*?)\n```/gs)];
  assert.equal(blocks.length, 4);
  for (const [, language, block = ""] of blocks)
    assert.ok(read(`tests/e2e/openai/examples.${language === "ts" ? "ts" : "py"}`).includes(block), block);
});
