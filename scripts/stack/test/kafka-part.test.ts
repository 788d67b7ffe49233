import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { suite, test } from "node:test";
import { checkBroker } from "../src/kafka/check-broker.ts";
import { kafkaJars, root } from "../src/layout.ts";
import { nameStack, startTestStack, waitUntil } from "./test-stack.ts";

const skip = existsSync(kafkaJars) ? false : "Kafka is not set up: it needs Java 17 and Maven, then make setup";
const python = `${root}/.soma/kafka-tools/bin/python`;

/** A client of another make writes or reads; what it read comes back. */
const ask = (address: string, program: string): string =>
  execFileSync(python, ["-c", program, address], { encoding: "utf8", timeout: 30_000 }).trim();

const write = `
import sys
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
admin = AdminClient({"bootstrap.servers": sys.argv[1]})
admin.create_topics([NewTopic("kept", 1)])["kept"].result(15)
producer = Producer({"bootstrap.servers": sys.argv[1], "acks": "all"})
producer.produce("kept", b"written before the kill")
assert producer.flush(15) == 0`;

const read = `
import sys
from confluent_kafka import Consumer, TopicPartition
consumer = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "none", "enable.auto.commit": False})
consumer.assign([TopicPartition("kept", 0, 0)])
print(consumer.poll(20).value().decode())
consumer.close()`;

suite("Kafka as a part of the stack", { skip }, () => {
  test("an acknowledged record is there after kill -9 and a restart", async (t) => {
    const stack = await startTestStack(t, nameStack(t, "kafka"), { parts: ["kafka"] });
    ask(stack.url("kafka"), write);
    await stack.kill("kafka", "SIGKILL");
    await waitUntil("its end is shown", () => stack.state.parts[0]?.status === "ended");
    await stack.restart("kafka");
    assert.equal(ask(stack.url("kafka"), read), "written before the kill");
  });

  test("a port that something else has open is not a broker", async (t) => {
    const other = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(0, "127.0.0.1");
    await once(other, "listening");
    t.after(() => other.close());
    const address = other.address();
    assert.ok(typeof address === "object" && address !== null);
    const answer = await checkBroker(address.port, AbortSignal.timeout(5_000));
    assert.match(answer ?? "", /is not a Kafka broker/);
  });
});
