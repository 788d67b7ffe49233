import { rmSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, sha256 } from "@soma/kit/digest";
import { runDirOf } from "../../scripts/stack/src/layout.ts";
import { startStack } from "../../scripts/stack/src/start-stack.ts";
import { apiOf } from "../harness/api.ts";

/**
 * Prints the export of one real session, with the texts that its events name: the worked example of
 * `docs/reference/ledger-format.md`. `node tests/record/record-ledger-example.ts`, when the format has changed.
 */
rmSync(join(runDirOf("record"), "data"), { recursive: true, force: true });
const stack = await startStack({ name: "record", env: { slm: { SLM_MAX_TOKENS: "12" } } });
try {
  const api = apiOf(stack.url("orchestrator"));
  const id = "sess-example";
  const metadata = { session_id: id, labels: ["docs"], weights: [1e21, 0.1] };
  const prompt = "Grüße! Answer in one word.";
  await api.start({ tenant: "tenant-demo", user: "user-demo", prompt, metadata });
  const { result } = await api.ended(id);
  const texts = [prompt, canonicalJson(metadata), result?.text ?? ""];
  const contents = Object.fromEntries(texts.map((text) => [sha256(text), text]));
  process.stdout.write(`${JSON.stringify({ events: await api.events(id), contents }, undefined, 2)}\n`);
} finally {
  await stack.stop();
}
