/**
 * What of the requested capabilities is granted: those that every limit holds, in the order of the request. There is
 * no way for a capability into the result except through the request and every limit.
 */
export function grantCapabilities<Name extends string>(
  requested: readonly string[],
  ...limits: readonly ReadonlySet<Name>[]
): string[] {
  return requested.filter((name) => limits.every((limit) => holds(limit, name)));
}

function holds(limit: ReadonlySet<string>, name: string): boolean {
  return limit.has(name);
}
