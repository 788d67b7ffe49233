import { mkdirSync, writeFileSync } from "node:fs";
import { childEnvironment } from "../child-environment.ts";
import { writeBrokerProperties } from "../kafka/broker-properties.ts";
import { checkBroker } from "../kafka/check-broker.ts";
import { kafkaJars } from "../layout.ts";
import type { Part } from "../part.ts";

/** One Kafka broker, its own controller. Optional: it needs Java, which nothing else here does. */
export const kafka: Part = {
  name: "kafka",
  needs: [],
  endsWith: [],
  ports: ["kafka", "kafka-controller"],
  deadlineMs: 60_000,
  stopWithinMs: 10_000,
  address: (site) => `127.0.0.1:${String(site.ports.kafka)}`,
  launch(site) {
    const folder = `${site.dataDir}/kafka`;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const properties = writeBrokerProperties({
      dataDir: `${folder}/log`,
      controllerPort: site.ports["kafka-controller"],
      listeners: [{ name: "PLAINTEXT", port: site.ports.kafka, protocol: "PLAINTEXT" }],
    });
    // Anew at each start: the ports may be others, the data is the same.
    writeFileSync(`${folder}/server.properties`, properties);
    return {
      command: `${site.root}/scripts/stack/kafka-broker.sh`,
      args: [kafkaJars, `${folder}/server.properties`],
      cwd: folder,
      env: childEnvironment({ ...site.env.kafka }),
    };
  },
  check: (site, signal) => checkBroker(site.ports.kafka, signal),
  advice:
    "Data that another version of Kafka wrote is the usual cause: move the folder kafka of this stack's data away.",
};
