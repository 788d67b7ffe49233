import { deniedPrompt, startApiStack } from "../../../tests/harness/api-stack.ts";
import type { Owner } from "../../../tests/harness/service-process.ts";
import { until } from "../../../tests/harness/until.ts";
import { createClient } from "../src/client.ts";
import type { SessionUpdate } from "../src/watch-session.ts";

/** Sessions of a real orchestrator with real Temporal, policy engine and identity service. */
export async function startSessions(owner: Owner, what: string) {
  const api = await startApiStack(owner, what);
  const soma = createClient({ baseUrl: api.url, token: () => api.token() });
  const start = async (prompt: string): Promise<string> => (await soma.startSession({ prompt })).session_id;
  return {
    ...api,
    until,
    start,
    /** A session that has ended, with the positions of its events. */
    async denied() {
      const id = await start(deniedPrompt);
      const { last_seq } = await soma.waitForSession(id);
      return { id, ledger: Array.from({ length: last_seq }, (_, index) => index + 1) };
    },
  };
}

export async function updatesOf(
  updates: AsyncIterable<SessionUpdate>,
  onFirst: () => void = () => undefined,
): Promise<SessionUpdate[]> {
  const all: SessionUpdate[] = [];
  for await (const update of updates) {
    all.push(update);
    if (all.length === 1) onFirst();
  }
  return all;
}

/** The positions of the events among them. */
export function sequences(updates: readonly SessionUpdate[]): number[] {
  return updates.flatMap((update) => (update.kind === "event" ? [update.event.sequence] : []));
}
