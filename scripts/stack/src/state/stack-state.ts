import { partNames, type PartName } from "../part.ts";
import type { ProcessIdentity } from "../processes/process-table.ts";

const partStatuses = ["waiting", "starting", "ready", "ended", "restarting", "failed", "stopping", "stopped"] as const;
export type PartStatus = (typeof partStatuses)[number];

/** One part as `status` shows it. */
export interface PartState {
  readonly name: PartName;
  readonly status: PartStatus;
  /** When it got this status, RFC 3339. */
  readonly since: string;
  /** URL, or host:port where that is what clients take. */
  readonly address: string;
  readonly logFile: string;
  readonly process?: ProcessIdentity;
  /** From its start to being ready, in milliseconds. */
  readonly readyAfterMs?: number;
  readonly restarts: number;
  /** What it waits for, or how it ended. */
  readonly note?: string;
}

/** The content of a stack's state file. */
export interface StackState {
  readonly name: string;
  /** Carried in the environment of all processes of this stack. */
  readonly marker: string;
  /** The process that owns the stack: it supervises the parts, and they end with it. */
  readonly owner: ProcessIdentity;
  readonly startedAt: string;
  readonly temporalUi?: string;
  readonly rayDir: string;
  readonly parts: readonly PartState[];
}

export function isPartName(value: unknown): value is PartName {
  return partNames.some((name) => name === value);
}

export function isPartStatus(value: unknown): value is PartStatus {
  return partStatuses.some((status) => status === value);
}

/** True when every part is ready. */
export function isReady(state: StackState): boolean {
  return state.parts.every(({ status }) => status === "ready");
}
