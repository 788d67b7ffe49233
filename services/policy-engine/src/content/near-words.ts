/** One place in a sequence: any of these words; a word that ends in `*` stands for all that begin so. */
export type WordGroup = readonly string[];

/**
 * Finds one word of each group, in the order of the groups, within a span of `within` words. One pass over the
 * words: for each group only the latest start of a chain that ends there is kept, because for a fixed end the latest
 * start gives the shortest span.
 */
export function compileNear(groups: readonly WordGroup[], within: number): (words: readonly string[]) => boolean {
  const tests = groups.map(compileGroup);
  return (words) => {
    const chains: (number | undefined)[] = tests.map(() => undefined);
    for (const [position, word] of words.entries()) {
      // From the last group to the first, so that one word does not serve two groups.
      for (let group = tests.length - 1; group >= 0; group -= 1) {
        if (tests[group]?.(word) !== true) continue;
        chains[group] = group === 0 ? position : chains[group - 1];
      }
      const start = chains.at(-1);
      if (start !== undefined && position - start < within) return true;
    }
    return false;
  };
}

function compileGroup(words: WordGroup): (word: string) => boolean {
  const group = words.map((word) => word.normalize("NFKC").toLowerCase());
  const whole = new Set(group.filter((word) => !word.endsWith("*")));
  const beginnings = group.filter((word) => word.endsWith("*")).map((word) => word.slice(0, -1));
  return (word) => whole.has(word) || beginnings.some((beginning) => word.startsWith(beginning));
}
