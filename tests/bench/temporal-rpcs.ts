import { request } from "undici";

/** How often each RPC was called at the frontend since the server began, by its own count. */
export async function readRpcCounts(metricsUrl: string): Promise<Map<string, number>> {
  const answer = await request(metricsUrl);
  const counts = new Map<string, number>();
  for (const line of (await answer.body.text()).split("\n")) {
    const [, labels = "", value = ""] = /^service_requests\{([^}]*)\} (\S+)/.exec(line) ?? [];
    if (!/service_name="frontend"/.test(labels)) continue;
    const operation = /operation="([^"]+)"/.exec(labels)?.[1] ?? "";
    counts.set(operation, (counts.get(operation) ?? 0) + Number(value));
  }
  if (counts.size === 0) throw new Error(`${metricsUrl} has no service_requests of the frontend`);
  return counts;
}

/** What was called between two readings. */
export function rpcsBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Map<string, number> {
  const entries = [...after].map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)]);
  return new Map(entries.filter(([, count]) => count > 0));
}
