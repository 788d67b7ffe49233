/** Program: `make demo`. A real stack on free ports, one session from its start to its proof, and nothing left behind. */
import { rmSync } from "node:fs";
import { showProof, showSmokeSession, showStreamedSession } from "./demo/scenes.ts";
import { SessionClient } from "./demo/session-client.ts";
import { describeFailure } from "./describe-failure.ts";
import { runDirOf } from "./layout.ts";
import { Progress } from "./progress.ts";
import { startStack } from "./start-stack.ts";

const prompt = "Explain in a few sentences what an event ledger is good for.";

const name = `demo-${String(process.pid)}`;

async function demo(signal: AbortSignal): Promise<void> {
  const begin = performance.now();
  process.stdout.write(
    "Starting the whole stack on free ports: Temporal, Ray with a small language model, three services.\n\n",
  );
  const progress = new Progress();
  const stack = await startStack({
    name,
    // A model of this size does not find an end by itself: an answer stops after as many tokens.
    env: { slm: { SLM_MAX_TOKENS: "200" } },
    signal,
    onChange: (state) => {
      progress.show(state);
    },
  });
  progress.end();
  try {
    const client = new SessionClient(stack.url("orchestrator"), signal);
    await showSmokeSession(client);
    const id = await showStreamedSession(client, prompt);
    await showProof(client, id, prompt);
  } finally {
    process.stdout.write("\nStopping:\n");
    await stack.stop();
    progress.end();
  }
  process.stdout.write(`\nDone in ${((performance.now() - begin) / 1000).toFixed(0)} s; nothing is left running.

Next:
  make dev-up                          the same stack, to stay: API http://127.0.0.1:8090, Temporal UI http://127.0.0.1:8233
  open http://127.0.0.1:8090/docs      every operation, to try out
  change one character in .soma/demo/ledger.json and verify it again: node scripts/soma-verify.ts .soma/demo/ledger.json
`);
}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    stop.abort();
  });
let keepLogs = false;
try {
  await demo(stop.signal);
} catch (error) {
  keepLogs = !stop.signal.aborted;
  const failure = `The demo failed.\n${describeFailure(error)}\nThe logs of all parts: ${runDirOf(name)}/logs`;
  process.stderr.write(`\n${keepLogs ? failure : "Stopped."}\n`);
  process.exitCode = keepLogs ? 1 : 130;
}
if (!keepLogs) rmSync(runDirOf(name), { recursive: true, force: true });
