/** @throws Error when the metric is not there: a missing number is not zero. */
export function readGauge(metrics: string, name: string): number {
  const value = new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "m").exec(metrics)?.[1];
  if (value === undefined) throw new Error(`no metric ${name}`);
  return Number(value);
}

export async function readText(url: string): Promise<string> {
  return (await fetch(url)).text();
}
