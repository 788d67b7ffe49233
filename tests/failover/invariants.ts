import {
  findEffectsAfterStop,
  findPhantomOutcomes,
  findRepeatedEffects,
  findUnboundedRetries,
  findUnintendedEffects,
  findUnpermittedEffects,
} from "./check-effects.ts";
import {
  findBrokenChains,
  findBrokenStreams,
  findChangedTopicBytes,
  findTopicDifferences,
  findTopicDisorder,
  findUnequalReadings,
} from "./check-evidence.ts";
import {
  findForeignSight,
  findLeaks,
  findMissingFaults,
  findSilentDrops,
  findSlowRecoveries,
  findUnreturnedResources,
} from "./check-safety.ts";
import {
  findBrokenPromises,
  findGhosts,
  findLostSessions,
  findReturnsFromTheEnd,
  findSplitSessions,
  findStatusDisagreements,
  findStuckSessions,
} from "./check-sessions.ts";
import type { RunRecords } from "./records.ts";

interface Invariant {
  /** What must hold, in words. */
  readonly holds: string;
  /** Each violation in words; none when it holds. */
  readonly find: (records: RunRecords) => string[];
}

/** What must hold after any faults, whatever was killed and when. */
export const invariants = {
  "no-session-lost": { holds: "what was acknowledged is in the ledger and in Temporal", find: findLostSessions },
  "no-ghost": { holds: "each session and each workflow was asked for", find: findGhosts },
  "same-key-same-session": { holds: "a repeated request gives the same session", find: findSplitSessions },
  "every-session-ends": { holds: "each session ended or says what blocks it", find: findStuckSessions },
  "ends-as-promised": { holds: "an outage fails no session and denies none", find: findBrokenPromises },
  "no-effect-twice": { holds: "one finished generation and one outcome for each step", find: findRepeatedEffects },
  "permit-before-effect": { holds: "a decision that holds comes before each intent", find: findUnpermittedEffects },
  "intent-before-effect": { holds: "an intent comes before each request and outcome", find: findUnintendedEffects },
  "no-effect-after-stop": { holds: "none after denial, cancellation or end", find: findEffectsAfterStop },
  "no-phantom-outcome": { holds: "a real generation stands behind each outcome", find: findPhantomOutcomes },
  "chain-whole": { holds: "the offline verifier finds nothing", find: findBrokenChains },
  "one-ledger": { holds: "no event twice; API and file say the same", find: findUnequalReadings },
  "streams-gap-free": { holds: "what was streamed is a prefix of the ledger", find: findBrokenStreams },
  "topic-in-order": { holds: "gap-free and in order per session", find: findTopicDisorder },
  "topic-same-bytes": { holds: "equal ids, identical bytes", find: findChangedTopicBytes },
  "topic-equals-ledger": { holds: "the topic has what the ledger has", find: findTopicDifferences },
  "tenants-apart": { holds: "no tenant sees another's session", find: findForeignSight },
  "status-agrees": { holds: "API, Temporal and last event say the same", find: findStatusDisagreements },
  "stays-ended": { holds: "no session leaves its end", find: findReturnsFromTheEnd },
  "no-secret": { holds: "no token anywhere, prompts where they belong", find: findLeaks },
  "retries-bounded": { holds: "no step is tried without end", find: findUnboundedRetries },
  "resources-return": { holds: "no stream, workflow or unsent event is left", find: findUnreturnedResources },
  "nothing-dropped-silently": { holds: "every refusal has a code, every cut a fault", find: findSilentDrops },
  "faults-fired": { holds: "each planned fault killed and hit something", find: findMissingFaults },
  "back-in-time": { holds: "worker death 15 s, Temporal's return 20 s", find: findSlowRecoveries },
} as const satisfies Readonly<Record<string, Invariant>>;

export type InvariantName = keyof typeof invariants;

export interface Verdict {
  readonly name: InvariantName;
  readonly holds: string;
  readonly violations: readonly string[];
}

/** Checks all of them, the given ones left out. */
export function checkRecords(records: RunRecords, without: readonly InvariantName[] = []): Verdict[] {
  return Object.entries(invariants).flatMap(([key, { holds, find }]) => {
    const name = nameOf(key);
    return without.includes(name) ? [] : [{ name, holds, violations: find(records) }];
  });
}

function nameOf(key: string): InvariantName {
  if (!isName(key)) throw new TypeError(`${key} is no invariant`);
  return key;
}

function isName(key: string): key is InvariantName {
  return Object.hasOwn(invariants, key);
}
