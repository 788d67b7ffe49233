/** How much a run measures. */
export interface Plan {
  readonly name: "quick" | "full" | "smoke";
  /** Sessions that B1 counts. */
  readonly counted: number;
  /** Pairs that must be valid, and how many more may be tried when others used the machine. */
  readonly pairs: number;
  readonly extraPairs: number;
  /** Sessions under way at once in the closed loop. */
  readonly concurrency: number;
  readonly warmUpMs: number;
  /** Load before the measured window of each slice begins. */
  readonly rampMs: number;
  readonly sliceMs: number;
  /** How much longer a slice may get until something has ended in it. */
  readonly patienceMs: number;
  /** Sessions one after another, for the time that one takes. */
  readonly single: number;
  /** Commits in a slice of B11. */
  readonly appends: number;
  readonly verifyEvents: number;
  /** Numbers of streams that B9 measures with, and the bursts of a slice, each of so many events. */
  readonly streams: readonly number[];
  readonly streamBursts: number;
  readonly streamEvents: number;
  /** Idle sessions with a stream each that B8 measures memory with, in how many pairs, and how long it lets them be. */
  readonly idleStreams: number;
  readonly idlePairs: number;
  readonly settleMs: number;
  /** Idle conversations that B8 wakes. */
  readonly conversations: number;
  /** Streamed answers in a slice of B13. */
  readonly answers: number;
  /** Of its core, for B9 and B13; a generator that is busier measures itself. */
  readonly maxGeneratorShare: number;
  /** A slice in which programs that are not ours used more of the machine than this is thrown away. */
  readonly maxOthersShare: number;
}

const quick: Plan = {
  name: "quick",
  counted: 20,
  pairs: 5,
  extraPairs: 3,
  concurrency: 32,
  warmUpMs: 5_000,
  rampMs: 2_000,
  sliceMs: 8_000,
  patienceMs: 0,
  single: 20,
  appends: 500,
  verifyEvents: 100_000,
  streams: [1_000],
  streamBursts: 10,
  streamEvents: 300,
  idleStreams: 1_000,
  idlePairs: 3,
  settleMs: 2_000,
  conversations: 1_000,
  answers: 5,
  maxGeneratorShare: 0.8,
  maxOthersShare: 0.2,
};

export const plans: Readonly<Record<Plan["name"], Plan>> = {
  quick,
  full: {
    ...quick,
    name: "full",
    counted: 100,
    pairs: 9,
    extraPairs: 6,
    warmUpMs: 15_000,
    rampMs: 3_000,
    sliceMs: 20_000,
    single: 60,
    appends: 3_000,
    verifyEvents: 1_000_000,
    streams: [1_000, 10_000],
    idleStreams: 10_000,
    idlePairs: 5,
    settleMs: 5_000,
    answers: 20,
  },
  // That the machinery runs, in seconds; its figures mean nothing.
  smoke: {
    ...quick,
    name: "smoke",
    counted: 2,
    pairs: 1,
    extraPairs: 0,
    concurrency: 1,
    warmUpMs: 100,
    rampMs: 100,
    sliceMs: 500,
    // However slow the machine is: a test of the machinery is not one of speed.
    patienceMs: 60_000,
    single: 2,
    appends: 5,
    verifyEvents: 1_000,
    streams: [5],
    streamBursts: 2,
    streamEvents: 6,
    idleStreams: 20,
    idlePairs: 1,
    settleMs: 100,
    conversations: 2,
    answers: 1,
    // A slice of some milliseconds is shorter than the clock that CPU time is counted by.
    maxGeneratorShare: Number.POSITIVE_INFINITY,
    maxOthersShare: Number.POSITIVE_INFINITY,
  },
};
