import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { writeBrokerProperties, type BrokerListener } from "../../../../scripts/stack/src/kafka/broker-properties.ts";
import { checkBroker } from "../../../../scripts/stack/src/kafka/check-broker.ts";
import { kafkaJars, root } from "../../../../scripts/stack/src/layout.ts";

/** A real broker of a test file's own. */
export interface KafkaBroker extends AsyncDisposable {
  /** `host:port` of the listener without TLS, for tests to look at what arrived. */
  readonly address: string;
  /** `host:port` of the further listener. */
  readonly secured: string;
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

interface BrokerOptions {
  readonly secured?: Omit<BrokerListener, "port">;
  /** Further properties of the broker. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Further arguments of the format, e.g. users. */
  readonly format?: readonly string[];
}

/** For `skip`: false, or why these tests cannot run here. */
export const kafkaMissing: string | false = existsSync(kafkaJars)
  ? false
  : "Kafka is not set up: it needs Java 17 or newer and Maven, then make setup";

/** Starts a broker on free ports; it is killed and its data is gone at the end. */
export async function startKafkaBroker(options: BrokerOptions = {}): Promise<KafkaBroker> {
  const folder = mkdtempSync(join(tmpdir(), "soma-kafka-"));
  mkdirSync(join(folder, "log"));
  const [port, securedPort, controllerPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const properties = writeBrokerProperties({
    dataDir: join(folder, "log"),
    controllerPort,
    listeners: [
      { name: "PLAINTEXT", port, protocol: "PLAINTEXT" },
      ...(options.secured === undefined ? [] : [{ ...options.secured, port: securedPort }]),
    ],
    ...(options.properties && { more: options.properties }),
  });
  writeFileSync(join(folder, "server.properties"), properties);
  let broker: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const child = broker;
    broker = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  const start = async (): Promise<void> => {
    const child = spawn(
      join(root, "scripts/stack/kafka-broker.sh"),
      [kafkaJars, join(folder, "server.properties"), ...(options.format ?? [])],
      { cwd: folder, stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"] ?? "" } },
    );
    broker = child;
    let log = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (bytes: Buffer) => (log = (log + bytes.toString()).slice(-8000)));
    for (let tries = 0; (await checkBroker(port, AbortSignal.timeout(2_000))) !== undefined; tries += 1) {
      if (child.exitCode !== null || tries > 600) throw new Error(`the broker did not start:\n${log}`);
      await setTimeout(50);
    }
  };
  // A test that ends the process must not leave the broker behind.
  process.once("exit", () => broker?.kill("SIGKILL"));
  await start();
  return {
    address: `127.0.0.1:${String(port)}`,
    // By a name, as certificates have it.
    secured: `127.0.0.1:${String(securedPort)}`,
    start,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
