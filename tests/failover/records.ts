/**
 * What a fault run leaves behind, each part written by somebody else: the client, the targets' own wire, Temporal, the
 * ledger's file, the API after healing, the topic. The checker compares them; none of them is derived from another.
 * Times are milliseconds since 1970 of one machine's clock.
 */
export interface RunRecords {
  readonly seed: number;
  readonly client: readonly ClientSession[];
  readonly requests: readonly TargetRequest[];
  readonly generations: readonly Generation[];
  readonly workflows: readonly WorkflowRecord[];
  readonly ledger: readonly LedgerRow[];
  readonly api: readonly ApiSession[];
  readonly topic: readonly TopicRecord[];
  readonly sinks: readonly Sink[];
  /** Unique texts that stand in every prompt of the run. */
  readonly canaries: readonly string[];
  readonly resources: Resources;
  readonly planned: readonly PlannedFault[];
  readonly fired: readonly FiredFault[];
  readonly measures: readonly Measure[];
}

export const sessionKinds = ["plain", "unnamed", "keyed", "streamed", "canceled", "denied"] as const;
export type SessionKind = (typeof sessionKinds)[number];

/** One answer, or none: the connection was refused, cut or silent. */
export interface Answer {
  readonly at: number;
  readonly status: number | null;
  readonly code?: string;
  readonly sessionId?: string;
}

/** One session as its client saw it. `label` travels in the metadata: the only thing that names it in every record. */
export interface ClientSession {
  readonly label: string;
  readonly kind: SessionKind;
  readonly tenant: string;
  readonly sessionId?: string;
  readonly key?: string;
  readonly starts: readonly Answer[];
  readonly cancels: readonly Answer[];
  readonly streams: readonly StreamConnection[];
  /** Statuses that polling saw, in order, repeated ones left out. */
  readonly statuses: readonly string[];
  /** Reads of this session in another tenant's name. */
  readonly foreignReads: readonly Answer[];
}

export interface StreamConnection {
  readonly after: number;
  readonly openedAt: number;
  readonly endedAt: number;
  readonly status: number | null;
  /** The reader itself went away. */
  readonly left?: true;
  /** True when the session's last event was read. */
  readonly complete: boolean;
  readonly events: readonly { readonly id: string; readonly json: string }[];
}

/** A request as it passed on the wire before a target. `finished`: the target gave its whole answer, and that was 200. */
export interface TargetRequest {
  readonly target: "slm" | "policy-engine" | "identity-service";
  readonly path: string;
  readonly at: number;
  readonly endedAt: number;
  readonly status: number | null;
  readonly finished: boolean;
  readonly effectKey?: string;
  /** The target said that it told what it had done, or was doing, for an earlier request with this key. */
  readonly replayed: boolean;
}

/** A line of the model service's own journal of what it generated. */
export interface Generation {
  readonly effectKey: string;
  readonly at: number;
  readonly completionTokens: number;
}

export interface WorkflowRecord {
  readonly workflowId: string;
  readonly status: string;
  /** `status` of the result, of a workflow that completed. */
  readonly result?: string;
  readonly events: number;
  readonly attempts: readonly { readonly activity: string; readonly attempt: number }[];
}

/** A row of the events table, read from the database file itself. */
export interface LedgerRow {
  readonly position: number;
  readonly id: string;
  readonly tenant: string;
  readonly session: string;
  readonly seq: number;
  readonly json: string;
}

export interface ApiSession {
  readonly sessionId: string;
  readonly tenant: string;
  readonly status: string;
  readonly blockedOn?: string;
  /** The pages of its events, each event as JSON. */
  readonly events: readonly string[];
}

export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

/** A place where a secret could turn up. Prompts may stand in some of them, tokens in none. */
export interface Sink {
  readonly place: string;
  readonly text: string;
  readonly promptsAllowed: boolean;
}

export interface Resources {
  readonly openStreams: number;
  readonly runningWorkflows: number;
  readonly dependenciesDown: number;
  /** Left out where there is no broker. */
  readonly unsentEvents?: number;
  readonly deadLetters?: number;
}

export interface PlannedFault {
  readonly id: string;
  readonly part: string;
}

export interface FiredFault extends PlannedFault {
  readonly pids: readonly number[];
  readonly killedAt: number;
  readonly goneAt: number;
  readonly backAt: number;
  readonly openSessions: number;
}

/** How long after a worker's death, or Temporal's return, each open session had moved. */
export interface Measure {
  readonly kind: "worker-death" | "temporal-back";
  readonly fault: string;
  readonly sessions: number;
  readonly firstMs: number;
  readonly slowestMs: number;
}
