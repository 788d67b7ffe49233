/** What one slice of one variant came to. */
export interface Slice {
  /** What makes the whole run void: failed requests, a backlog, events that are missing, a generator at its limit. */
  readonly faults: readonly string[];
  /** Share of the machine that programs outside of the run used. */
  readonly othersShare: number;
}

export interface Rounds<Name extends string, One extends Slice> {
  readonly rounds: readonly Readonly<Record<Name, One>>[];
  /** Rounds that were thrown away because others used the machine. */
  readonly rejected: readonly Readonly<Record<Name, One>>[];
  /** What figures are made of: the valid rounds, or, in a run that is void for want of them, the others. */
  readonly shown: readonly Readonly<Record<Name, One>>[];
  readonly faults: readonly string[];
}

interface Limits {
  readonly pairs: number;
  readonly extraPairs: number;
  readonly maxOthersShare: number;
}

/**
 * Runs the variants in turn, A B A B …, until enough rounds are valid. A round counts as a whole or not at all: its
 * slices are compared with each other only.
 */
export async function interleave<Name extends string, One extends Slice>(
  names: readonly Name[],
  run: (name: Name) => Promise<One>,
  limits: Limits,
): Promise<Rounds<Name, One>> {
  const rounds: Record<Name, One>[] = [];
  const faults: string[] = [];
  const rejected: Record<Name, One>[] = [];
  while (rounds.length < limits.pairs && rounds.length + rejected.length < limits.pairs + limits.extraPairs) {
    const slices = new Map<Name, One>();
    for (const name of names) {
      const slice = await run(name);
      faults.push(...slice.faults.map((fault) => `${name}: ${fault}`));
      slices.set(name, slice);
    }
    const noisy = [...slices.values()].some(({ othersShare }) => othersShare > limits.maxOthersShare);
    (noisy ? rejected : rounds).push(recordOf(names, slices));
  }
  if (rounds.length < limits.pairs) {
    const share = `${String(limits.maxOthersShare * 100)} %`;
    faults.push(
      `only ${String(rounds.length)} of ${String(limits.pairs)} rounds: in ${String(rejected.length)} others used more than ${share} of the machine`,
    );
  }
  return { rounds, rejected, shown: rounds.length > 0 ? rounds : rejected, faults };
}

function recordOf<Name extends string, One>(names: readonly Name[], values: ReadonlyMap<Name, One>): Record<Name, One> {
  const entries = names.map((name) => [name, values.get(name)]);
  // Each name was run just now.
  const record: Record<Name, One> = Object.fromEntries(entries);
  return record;
}
