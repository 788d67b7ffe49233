/**
 * How dear a regular expression can get. JavaScript's engine backtracks: `(a+)+b` needs exponential time, and even
 * `a+b`, tried at each position of a long prompt, needs quadratic time. Looking for nested quantifiers finds only the
 * first kind. So packs may use a subset in which every repetition has an upper bound, and for that subset the work at
 * one position has a bound that can be computed before the pattern is ever run:
 *
 *   steps = most characters looked at from one start, paths = most different ways to get through
 *   a sequence   AB      steps(A) + paths(A) × steps(B),   paths(A) × paths(B)
 *   a choice     A|B     steps(A) + steps(B),              paths(A) + paths(B)
 *   a repetition A{n,m}  steps(A) × Σ paths(A)^k for k < m, Σ paths(A)^k for n ≤ k ≤ m
 *
 * The whole match is then linear in the prompt: at most steps × length. Back-references and look-around fall outside
 * and are refused.
 */
export interface PatternCost {
  readonly steps: number;
  readonly paths: number;
}

/** What a pattern may not hold; `message` is written for its author. */
export class PatternRefused extends Error {
  override readonly name = "PatternRefused";
}

/**
 * @param source of a pattern that `new RegExp(source, "u")` accepts; the syntax itself is not checked again here.
 * @throws PatternRefused for an unbounded repetition, a back-reference or a look-around.
 */
export function patternCost(source: string): PatternCost {
  const reader = new PatternReader(source);
  return reader.choice();
}

const one: PatternCost = { steps: 1, paths: 1 };

class PatternReader {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(source: string) {
    this.#characters = Array.from(source);
  }

  choice(): PatternCost {
    let total = this.#sequence();
    while (this.#take("|")) {
      const next = this.#sequence();
      total = { steps: total.steps + next.steps, paths: total.paths + next.paths };
    }
    return total;
  }

  #sequence(): PatternCost {
    let total: PatternCost = { steps: 0, paths: 1 };
    while (this.#at < this.#characters.length && this.#peek() !== "|" && this.#peek() !== ")") {
      const next = this.#repetition();
      total = { steps: total.steps + total.paths * next.steps, paths: total.paths * next.paths };
    }
    return total;
  }

  #repetition(): PatternCost {
    const atom = this.#atom();
    const bounds = this.#bounds();
    if (bounds === undefined) return atom;
    this.#take("?");
    let steps = 0;
    let paths = bounds.least === 0 ? 1 : 0;
    for (let count = 1, power = 1; count <= bounds.most && steps !== Infinity; count += 1) {
      steps += atom.steps * power;
      power *= atom.paths;
      if (count >= bounds.least) paths += power;
    }
    return { steps, paths };
  }

  #atom(): PatternCost {
    const character = this.#next();
    if (character === "(") return this.#group();
    if (character === "[") {
      while (this.#peek() !== "]") if (this.#next() === "\\") this.#next();
      this.#next();
      return one;
    }
    if (character === "\\") {
      const escaped = this.#next();
      if (/[1-9k]/.test(escaped)) throw new PatternRefused("back-references are not accepted");
      // \p{…} and \u{…}: the braces are no repetition.
      if (/[pPu]/.test(escaped) && this.#peek() === "{") while (this.#next() !== "}");
    }
    return one;
  }

  #group(): PatternCost {
    if (this.#take("?")) {
      if (!this.#take(":"))
        throw new PatternRefused("of the (?…) forms only (?:…) is accepted: no look-around, names or flags");
    }
    const inner = this.choice();
    this.#next();
    return inner;
  }

  #bounds(): { least: number; most: number } | undefined {
    if (this.#take("?")) return { least: 0, most: 1 };
    if (this.#peek() === "*" || this.#peek() === "+")
      throw new PatternRefused(`'${this.#peek()}' has no upper bound; write {0,40} or so`);
    if (!this.#take("{")) return undefined;
    let text = "";
    while (this.#peek() !== "}") text += this.#next();
    this.#next();
    const [least = "", most] = text.split(",");
    if (most === "") throw new PatternRefused(`'{${text}}' has no upper bound; write {${least},40} or so`);
    return { least: Number(least), most: Number(most ?? least) };
  }

  #peek(): string {
    return this.#characters[this.#at] ?? "";
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw new PatternRefused("ends where more is expected");
    this.#at += 1;
    return character;
  }
}
