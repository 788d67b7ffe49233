import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { readField, readNumber, readRecord, readText } from "../json-fields.ts";
import { root } from "../layout.ts";
import { DemoError } from "./demo-error.ts";
import type { SessionClient } from "./session-client.ts";
import { describeTimeline } from "./timeline.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The smoke test that the documents promise, to the letter; its text and what allowed it. */
export async function showSmokeSession(client: SessionClient): Promise<void> {
  const body = {
    tenant: "tenant-demo",
    user: "user-demo",
    prompt: "kick off a demo",
    metadata: { session_id: "sess-local" },
  };
  say(`\n1. A session\n\n  POST /v1/sessions/start ${JSON.stringify(body)}`);
  const begin = performance.now();
  const accepted = await client.start(body);
  say(`  202 ${JSON.stringify(accepted)}`);
  const view = await client.readToEnd("session-sess-local", 60_000);
  assertCompleted(view);
  const result = readRecord(view, "result");
  const usage = readRecord(result, "usage");
  say(`\n  GET /v1/sessions/session-sess-local, after ${seconds(begin)}:`);
  say(`  status       ${readText(view, "status")}`);
  say(`  text         ${readText(result, "text").trim().replaceAll("\n", "\n               ")}`);
  const counts = `${String(readNumber(usage, "prompt_tokens"))} in, ${String(readNumber(usage, "completion_tokens"))} out`;
  say(`  tokens       ${counts}, end: ${readText(result, "finish_reason")}, model: ${readText(result, "model")}`);
  say(`  decision_id  ${readText(readRecord(view, "decision"), "decision_id")}`);
  say(`  token jti    ${readText(readRecord(view, "token"), "jti")}`);
}

/** A longer answer, word by word as the model makes it, from the session's event stream. Returns the session's id. */
export async function showStreamedSession(client: SessionClient, prompt: string): Promise<string> {
  const accepted = await client.start({ tenant: "tenant-demo", user: "user-demo", prompt });
  const id = readText(accepted, "session_id");
  say(`\n2. A longer answer, streamed from GET /v1/sessions/${id}/events\n\n  "${prompt}"\n`);
  const begin = performance.now();
  let offset = 0;
  process.stdout.write("  ");
  for await (const event of client.follow(id)) {
    if (event.type !== "delta") continue;
    const delta: unknown = JSON.parse(event.data);
    const text = readText(delta, "text");
    // A step that is tried again tells its text from the start; what was shown is not shown twice.
    const fresh = text.slice(Math.max(0, offset - readNumber(delta, "offset")));
    offset += fresh.length;
    process.stdout.write(fresh.replaceAll("\n", "\n  "));
  }
  const view = await client.read(id);
  assertCompleted(view);
  const text = readText(readRecord(view, "result"), "text");
  // Deltas are not durable; the result is. What was missed of them is made good from it.
  process.stdout.write(text.slice(offset).replaceAll("\n", "\n  "));
  say(`\n\n  ${String(text.length)} characters, of them ${String(offset)} live, in ${seconds(begin)}`);
  return id;
}

/** The session's ledger as a timeline, its export, and the check of the export by a program that knows nothing of us. */
export async function showProof(client: SessionClient, id: string, prompt: string): Promise<string> {
  const events = await client.readLedger(id);
  say(`\n3. Its ledger\n\n${describeTimeline(events)}`);
  const text = readText(readRecord(await client.read(id), "result"), "text");
  const folder = join(root, ".soma/demo");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "ledger.json");
  const contents = { [sha256(prompt)]: prompt, [sha256(text)]: text };
  writeFileSync(file, `${JSON.stringify({ events, contents }, undefined, 2)}\n`, { mode: 0o600 });
  say(
    `\n4. The proof, checked offline from the exported file\n\n  node scripts/soma-verify.ts ${relative(root, file)}\n`,
  );
  try {
    const found = execFileSync(process.execPath, [join(root, "scripts/soma-verify.ts"), file], { encoding: "utf8" });
    say(found.trimEnd().replaceAll(/^/gm, "  "));
  } catch (error) {
    const output: unknown = readField(error, "stdout");
    throw new DemoError(`the exported ledger does not hold:\n${typeof output === "string" ? output : String(error)}`, {
      cause: error,
    });
  }
  return file;
}

function assertCompleted(view: unknown): void {
  if (readText(view, "status") !== "completed")
    throw new DemoError(`the session ended as ${JSON.stringify(view, undefined, 2)}`);
}

function sha256(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function seconds(begin: number): string {
  return `${((performance.now() - begin) / 1000).toFixed(1)} s`;
}
