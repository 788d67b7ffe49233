import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { verify } from "../../../../scripts/soma-verify.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { runWriter } from "./writer-process.ts";

const writers = 16;
/** Fewer sessions than writers, so that most of them compete for the end of a chain. */
const sessions = ["sess-0", "sess-1", "sess-2", "sess-3", "sess-4"];

/**
 * Sixteen processes that append at once, each ended by SIGKILL at a moment of its own: what was acknowledged is there,
 * where it was said to be, and each chain is whole.
 *
 * @param store what `append-child.ts` opens: a file or a URL
 */
export async function killSixteenWriters(
  context: TestContext,
  store: string,
  open: () => Promise<Ledger>,
): Promise<void> {
  const acknowledged = await Promise.all(
    Array.from({ length: writers }, async (_, index) => {
      const session = sessions[index % sessions.length] ?? "";
      const killAfterMs = Math.floor(Math.random() * 1_500);
      return { session, events: await runWriter([store, session, `writer-${String(index)}`, "0"], killAfterMs) };
    }),
  );
  const ledger = await open();
  try {
    let total = 0;
    for (const sessionId of sessions) {
      const key = { tenant: "tenant-a", sessionId };
      const events = await ledger.readEvents({ ...key, after: 0, limit: 1_000_000 });
      assert.deepEqual(verify(JSON.stringify(events)).violations, []);
      assert.equal((await ledger.findSession(key))?.last_seq, events.length);
      for (const one of acknowledged.filter(({ session }) => session === sessionId))
        for (const [sequence, id] of one.events) assert.equal(events[sequence - 1]?.id, id, "acknowledged and lost");
      total += events.length;
    }
    const sum = acknowledged.reduce((count, { events }) => count + events.size, 0);
    assert.ok(
      acknowledged.every(({ events }) => events.size > 0),
      "a writer was killed before it had written",
    );
    assert.equal(await ledger.lastPosition(), total, "the tail has other events than the sessions");
    context.diagnostic(`${String(sum)} acknowledged, ${String(total)} recorded`);
  } finally {
    await ledger.close();
  }
}
