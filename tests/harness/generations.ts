import { execFile } from "node:child_process";
import { readdirSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { AuditEvent } from "@soma/contracts/audit";
import { stackUnderTest } from "./stack-under-test.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** One generation that ended, as the model service wrote it down. */
export interface FinishedGeneration {
  readonly effect_key: string;
  readonly completion_tokens: number;
}

/** What the target itself says it did for an effect key: the model service's own record, read by its own command. */
export async function generationsOf(effectKey: unknown): Promise<FinishedGeneration[]> {
  const { stdout } = await promisify(execFile)(
    join(root, ".soma/slm/bin/python"),
    ["-m", "soma_slm.journal", "list", stackUnderTest().slmDataDir],
    { cwd: join(root, "services/slm") },
  );
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): FinishedGeneration => JSON.parse(line))
    .filter(({ effect_key }) => effect_key === effectKey);
}

/** The effect key of a session's first intent. */
export function intendedKey(events: readonly AuditEvent[]): unknown {
  return events.find(({ type }) => type === "effect.intended")?.data["effect_key"];
}

/** The processes that have the model service's journal open: its replicas, which Ray starts, not the stack. */
export function findReplicas(): number[] {
  const held = join(realpathSync(stackUnderTest().slmDataDir), "effects.lock");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && openFiles(name).includes(held))
    .map(Number);
}

function openFiles(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return []; // ended meanwhile
  }
}
