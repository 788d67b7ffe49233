/**
 * Program: outlives the stack's owner by a moment. It reads from its standard input what the owner started; when that
 * ends, for whatever reason, the owner is gone or done, and everything of the stack that still runs is killed.
 * A pipe and no signal on parent death, so that it works in the same way for any owner and cannot miss its end.
 */
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { readGuardianMessage } from "./guardian-messages.ts";
import { killOwned } from "./owned-processes.ts";
import type { ProcessIdentity } from "./process-table.ts";

const marker = process.argv[2];
if (marker === undefined) throw new TypeError("usage: guardian.ts MARKER, messages on standard input");
const leaders: ProcessIdentity[] = [];
const leftovers: string[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  const message = readGuardianMessage(line);
  if (message.kind === "leader") leaders.push(message.leader);
  else leftovers.push(message.path);
}
await killOwned({ marker, leaders });
for (const path of leftovers) rmSync(path, { recursive: true, force: true });
