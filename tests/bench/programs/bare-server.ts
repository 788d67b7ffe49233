import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Client } from "@temporalio/client";
import { NativeConnection, Runtime, Worker, bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";
import { fileURLToPath } from "node:url";
import { announce } from "./announce.ts";

/**
 * The limit that sessions are compared with: `POST /` runs one bare workflow to its end, started eagerly, by a worker in
 * the same process, behind Node's own HTTP server: `bare-server.ts --temporal HOST:PORT`.
 */
const { values } = parseArgs({ options: { temporal: { type: "string", default: "" } } });
const taskQueue = "bench-bare";
Runtime.install({ shutdownSignals: [], logger: new DefaultLogger("ERROR") });
const connection = await NativeConnection.connect({ address: values.temporal, grpcCompression: { codec: "none" } });
const client = new Client({ connection });
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowBundle: await bundleWorkflowCode({
    logger: new DefaultLogger("ERROR"),
    workflowsPath: fileURLToPath(new URL("../workflows/bare-workflow.ts", import.meta.url)),
  }),
});
const running = worker.run();

async function runOne(): Promise<void> {
  const handle = await client.workflow.start("bare-workflow", {
    taskQueue,
    workflowId: `bare-${randomUUID()}`,
    requestEagerStart: true,
  });
  await handle.result();
}

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    runOne().then(
      () => response.end("{}"),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
});
server.keepAliveTimeout = 60_000;
announce(server, async () => {
  worker.shutdown();
  await running;
  await connection.close();
});
