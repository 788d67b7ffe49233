import type { Launch } from "./processes/part-process.ts";
import type { PortName, Ports } from "./ports.ts";

/** What a stack consists of unless somebody says otherwise. */
export const usualPartNames = [
  "ray",
  "slm",
  "temporal",
  "policy-engine",
  "identity-service",
  "memory-gateway",
  "orchestrator",
  "gateway",
] as const;
/** Parts that only those have who ask for them, since they need more than the others do. */
export const optionalPartNames = ["kafka"] as const;
export const partNames = [...optionalPartNames, ...usualPartNames] as const;
export type UsualPartName = (typeof usualPartNames)[number];
export type PartName = (typeof partNames)[number];

/** Where one stack lives: its folders, its ports, what its parts are told. Paths are absolute. */
export interface Site {
  /** The checkout. */
  readonly root: string;
  /** State and logs of this run; emptied at the next start. */
  readonly runDir: string;
  /** Databases, keys and credentials; kept. */
  readonly dataDir: string;
  /** Short, so that Ray's socket paths stay within the 107 bytes that the kernel allows. */
  readonly rayDir: string;
  readonly ports: Ports;
  /** The parts that this stack has. */
  readonly parts: ReadonlySet<PartName>;
  /** True when the orchestrator gives its sessions memory. */
  readonly memory: boolean;
  /** Ports of Ray's workers; the system's choice when left out. */
  readonly rayWorkerPorts?: { readonly from: number; readonly to: number };
  /** Further variables for one part, over those that the stack sets. */
  readonly env: Partial<Readonly<Record<PartName, Readonly<Record<string, string>>>>>;
}

/** Parts that end before the others, in this order: each talks to those after it until it is gone. */
export const endFirst = ["gateway", "orchestrator"] as const satisfies readonly PartName[];

/** One part of the stack: how it is started, when it is ready, what to do when it does not get there. */
export interface Part {
  readonly name: PartName;
  /** Parts that must be ready before this one starts. */
  readonly needs: readonly PartName[];
  /** Parts whose end ends this one, too: they are restarted together. */
  readonly endsWith: readonly PartName[];
  readonly ports: readonly PortName[];
  /** From its start to its being ready. */
  readonly deadlineMs: number;
  /** What SIGTERM may take before SIGKILL follows. */
  readonly stopWithinMs: number;
  /** Where it is reached: a URL, or host:port where that is what clients take. */
  address(site: Site): string;
  launch(site: Site): Launch;
  /** Asks once whether it is ready; answers undefined, or what is still missing. Must end when the signal fires. */
  check(site: Site, signal: AbortSignal): Promise<string | undefined>;
  /** What somebody should do whose part did not start; one sentence. */
  readonly advice: string;
}
