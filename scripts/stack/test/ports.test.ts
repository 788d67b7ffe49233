import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { developmentPorts, portNames, PortTakenError, resolvePorts } from "../src/ports.ts";
import { startStack } from "../src/start-stack.ts";
import { nameStack } from "./test-stack.ts";

test("a taken port is named with its holder before anything starts", async (t) => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  t.after(() => holder.close());
  const address = holder.address();
  assert.ok(typeof address === "object" && address !== null);
  const changes: unknown[] = [];
  const start = startStack({
    name: nameStack(t, "taken"),
    parts: ["temporal"],
    ports: { temporal: address.port },
    onChange: (state) => void changes.push(state),
  });
  await assert.rejects(start, (error) => {
    assert.ok(error instanceof PortTakenError);
    const expected = `port ${String(address.port)} (temporal) is taken, held by pid ${String(process.pid)}: `;
    assert.ok(error.message.startsWith(expected), error.message);
    assert.match(error.message, /--port temporal=0 takes a free one/);
    return true;
  });
  assert.deepEqual(changes, []);
});

test("free ports differ from each other and from a developer's, also where nothing needs them", async () => {
  const ports = await resolvePorts({}, new Set(["temporal"]));
  const chosen = portNames.map((name) => ports[name]);
  assert.equal(new Set(chosen).size, portNames.length);
  for (const name of portNames) assert.notEqual(ports[name], developmentPorts[name]);
});

test("a developer's ports are these", () => {
  assert.deepEqual(developmentPorts, {
    gateway: 10000,
    orchestrator: 8090,
    "identity-service": 10002,
    "policy-engine": 10020,
    "memory-gateway": 10018,
    slm: 8000,
    temporal: 7233,
    "temporal-ui": 8233,
    "temporal-metrics": 8234,
    ray: 6399,
    "ray-client": 18001,
    kafka: 9092,
    "kafka-controller": 9093,
  });
});
