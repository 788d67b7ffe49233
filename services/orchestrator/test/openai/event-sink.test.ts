import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { createMetrics } from "@soma/kit/metrics";
import { buildServer } from "@soma/kit/server";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { EventSink } from "../../src/openai/event-sink.ts";

const piece = "x".repeat(65_536);

test("a reader that does not read holds the writer up, then it is dropped; little is kept for it", async () => {
  const written = Promise.withResolvers<{ pieces: number; unsent: number; heldMs: number }>();
  const app = await buildServer({
    service: "test",
    version: "0",
    description: "",
    log: createTestLog().log,
    metrics: createMetrics("test"),
    missing: () => [],
  });
  app.get("/", async (_request, reply) => {
    const sink = new EventSink(reply, 300);
    let [pieces, unsent, heldMs] = [0, 0, 0];
    while (!sink.gone.aborted && pieces < 10_000) {
      const begin = performance.now();
      await sink.write(piece);
      heldMs = Math.max(heldMs, performance.now() - begin);
      unsent = Math.max(unsent, reply.raw.writableLength);
      pieces += 1;
    }
    written.resolve({ pieces, unsent, heldMs });
    return reply;
  });
  const url = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  const socket = connect(Number(url.port), "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "data");
  socket.pause();
  const { pieces, unsent, heldMs } = await written.promise;
  assert.ok(pieces < 10_000, "it was dropped");
  assert.ok(unsent < 4 * piece.length, `${String(unsent)} bytes were kept`);
  assert.ok(heldMs >= 290, "the writer waited for it");
  socket.destroy();
  await app.close();
});
