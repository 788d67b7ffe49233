import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { NewEvent } from "@soma/contracts/audit";
import { sha256 } from "@soma/kit/digest";
import { createMetrics } from "@soma/kit/metrics";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { eventContext } from "../../src/activities/step-events.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { SessionRow } from "../../src/ledger/session-row.ts";
import { createSessionMetrics } from "../../src/session-metrics.ts";
import { deltasIn } from "../../src/streams/open-deltas.ts";
import { StreamRegistry } from "../../src/streams/stream-registry.ts";
import { readTextPlace } from "../../src/streams/text-places.ts";
import { openSession, readRow } from "../harness/sessions.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";

/** One server-sent event as it arrived. */
export interface Arrived {
  readonly id: number | undefined;
  readonly event: string;
  readonly data: string;
}

/** A decision about as large as one can be, for filling buffers: 33 KB. */
export function largeEvent(row: SessionRow, index: number): NewEvent {
  return {
    ...eventContext(row),
    type: "policy.decided",
    key: `large/${String(index)}`,
    data: {
      step: "completion-1",
      action: "model.complete",
      resource: "model:default",
      action_digest: sha256("action"),
      effect_key: sha256("effect"),
      decision_id: String(index),
      policy_version: "v1",
      allowed: true,
      score: 0,
      severity: "none",
      reasons: Array.from({ length: 64 }, () => "x".repeat(512)),
      obligations: [],
      expires_at: "2999-01-01T00:00:00.000Z",
    },
  };
}

/** The real ledger as a database far away would be: what a page holds was read `delayMs` before it arrives. */
function farAway(ledger: Ledger, delayMs: number): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      if (name === "readEvents") {
        return async (query: Parameters<Ledger["readEvents"]>[0]) => {
          const page = await target.readEvents(query);
          await sleep(delayMs);
          return page;
        };
      }
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

interface Options {
  readonly delayMs?: number;
  /** A session that is there, as another process sees it; a new one in a ledger of its own unless given. */
  readonly over?: { readonly store: StoreUnderTest; readonly ledger: Ledger; readonly row: SessionRow };
}
type StoreUnderTest = Awaited<ReturnType<typeof openTemporaryLedger>>;

/** Streams of one session over a real HTTP server, from a real ledger; `delayMs` puts it far away. */
export async function startStreams({ delayMs = 0, over }: Options = {}) {
  const store = over?.store ?? (await openTemporaryLedger());
  const ledger = over?.ledger ?? store.ledger;
  const deltas = over === undefined ? store.deltas : deltasIn(store.reopenDeltas().store, ledger.contentKeys);
  const opened = over?.row ?? (await openSession(ledger));
  const { openStreams } = createSessionMetrics(createMetrics("test").registry);
  const streams = new StreamRegistry(
    delayMs > 0 ? farAway(ledger, delayMs) : ledger,
    deltas,
    createTestLog().log,
    openStreams,
  );
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "http://x");
    const after = Number(searchParams.get("after") ?? 0);
    const deltaAfter = searchParams.get("delta_after");
    const place = deltaAfter === null ? undefined : readTextPlace(deltaAfter);
    const text = !searchParams.has("no_text");
    void readRow(ledger, opened).then((row) => streams.open(row, response, { after, place, text }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const { port } = address;
  return {
    store,
    ledger,
    row: opened,
    deltas: deltas.hub,
    streams,
    /** How many streams the metric says are open. */
    open: async () => (await openStreams.get()).values[0]?.value,
    append: async (...events: readonly NewEvent[]): Promise<void> => void (await ledger.append(events)),
    end: (): NewEvent => ({ ...eventContext(opened), type: "session.canceled", key: "session.end", data: {} }),
    /** Opens a stream as a client does; ends when the server ends it. */
    read: (after = 0, more = "") => readEvents(`http://127.0.0.1:${String(port)}/?after=${String(after)}${more}`),
    /** A connection whose reader does what it likes with what comes. */
    async connect(after = 0): Promise<Socket> {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(`GET /?after=${String(after)} HTTP/1.1\r\nhost: x\r\n\r\n`);
      await once(socket, "connect");
      return socket;
    },
    async [Symbol.asyncDispose]() {
      await streams.close();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      if (over === undefined) await store[Symbol.asyncDispose]();
    },
  };
}

async function* readEvents(url: string): AsyncGenerator<Arrived> {
  const stop = new AbortController();
  const answer = await fetch(url, { signal: stop.signal });
  let pending = "";
  try {
    for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      pending += text;
      const blocks = pending.split("\n\n");
      pending = blocks.pop() ?? "";
      yield* blocks.flatMap(parseEvent);
    }
  } finally {
    stop.abort();
  }
}

/** Reads one block of a stream; comments and settings are none. */
export function parseEvent(block: string): Arrived[] {
  const fields = new Map(
    block.split("\n").map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]),
  );
  const event = fields.get("event");
  const id = fields.get("id");
  if (event === undefined) return [];
  return [{ id: id === undefined ? undefined : Number(id), event, data: fields.get("data") ?? "" }];
}
