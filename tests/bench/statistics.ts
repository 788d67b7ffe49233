export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws TypeError for no values: there is nothing that they would say. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  if (min === undefined || max === undefined) throw new TypeError("no values");
  return { median: quantile(sorted, 0.5), min, max };
}

/** The quantile of sorted values, between neighbours by their distance. */
export function quantile(sorted: readonly number[], q: number): number {
  const place = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (low === undefined || high === undefined) throw new TypeError("no values");
  return low + (high - low) * (place - Math.floor(place));
}

/** a₁/b₁, a₂/b₂ …: ratios within each pair, so that what changes slowly on the machine falls out. */
export function ratiosOf(pairs: readonly (readonly [number, number])[]): number[] {
  return pairs.map(([a, b]) => a / b);
}
