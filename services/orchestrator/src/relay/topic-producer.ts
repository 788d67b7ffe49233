import { isIP } from "node:net";
import { Admin, compatibilityPartitioner, findErrorBy, Producer, stringSerializers } from "@platformatic/kafka";
import { auditTopic } from "@soma/contracts/wire-names";
import type { ForwarderData, TopicRecord, WrittenAt } from "./forwarder-messages.ts";

/** Enough for several readers, few enough for one broker. A topic that is there keeps the number that it has. */
const partitions = 6;

/** CloudEvents 1.0, Kafka protocol binding, section 3.3: structured mode. */
const headers = { "content-type": "application/cloudevents+json" };

/** The topic is not there, and making it failed. */
class TopicMissingError extends Error {
  override readonly name = "TopicMissingError";
  readonly code = "TOPIC_MISSING";
}

type StringProducer = Producer<string, string, string, string>;

/**
 * Writes batches to the topic. Any error makes the next batch go through a new producer: what the one before still
 * believes of sequences and connections is then of no account.
 */
export class TopicProducer {
  readonly #connection: ReturnType<typeof connectionOf>;
  #producer: StringProducer | undefined;
  #admin: Admin | undefined;

  constructor(data: ForwarderData) {
    this.#connection = connectionOf(data);
  }

  /** Resolves when all replicas that count have the batch. Never to be called while a call is under way. */
  async send(records: readonly TopicRecord[]): Promise<readonly WrittenAt[]> {
    try {
      this.#producer ??= await this.#open();
      const messages = records.map(({ key, value }) => ({ topic: auditTopic, key, value, headers }));
      const { offsets = [] } = await this.#producer.send({ messages });
      return offsets.map(({ partition, offset }) => ({ partition, offset }));
    } catch (error) {
      const broken = this.#producer;
      this.#producer = undefined;
      void broken?.close().catch(() => undefined);
      throw error;
    }
  }

  /** Resolves when a broker has answered, after the login where there is one. */
  async check(): Promise<void> {
    this.#admin ??= new Admin(this.#connection);
    try {
      await this.#admin.metadata({ topics: [], forceUpdate: true, retries: 0 });
    } catch (error) {
      const broken = this.#admin;
      this.#admin = undefined;
      void broken?.close().catch(() => undefined);
      throw error;
    }
  }

  async #open(): Promise<StringProducer> {
    const admin = new Admin(this.#connection);
    try {
      await ensureTopic(admin);
    } finally {
      void admin.close().catch(() => undefined);
    }
    return new Producer({
      ...this.#connection,
      serializers: stringSerializers,
      // The partition that Kafka's own clients choose for a key.
      partitioner: compatibilityPartitioner,
      idempotent: true,
      acks: -1,
      // Unset would mean for ever.
      retries: 5,
      retryDelay: 200,
    });
  }
}

async function ensureTopic(admin: Admin): Promise<void> {
  try {
    await admin.metadata({ topics: [auditTopic], forceUpdate: true, retries: 0 });
  } catch (error) {
    // The client's own words for a topic that the brokers do not know; all else is another trouble.
    if (!(error instanceof Error) || Reflect.get(error, "code") !== "PLT_KFK_USER") throw error;
    await createTopic(admin);
  }
}

async function createTopic(admin: Admin): Promise<void> {
  try {
    // Replicas: as many as the brokers' default says.
    await admin.createTopics({ topics: [{ topic: auditTopic, partitions }] });
  } catch (error) {
    // Another process was quicker.
    if (error instanceof Error && findErrorBy(error, "apiId", "TOPIC_ALREADY_EXISTS") !== null) return;
    throw new TopicMissingError(
      `the topic ${auditTopic} is not there and could not be made: create it with ${String(partitions)} partitions`,
      { cause: error },
    );
  }
}

function connectionOf({ brokers, tls, sasl }: ForwarderData) {
  return {
    clientId: "soma-orchestrator",
    bootstrapBrokers: [...brokers],
    connectTimeout: 3_000,
    // A broker's own time for a request, and ours for its answer.
    timeout: 5_000,
    requestTimeout: 8_000,
    retries: 0,
    autocreateTopics: false,
    // An address is no name that TLS could ask for (RFC 6066, section 3); certificates are checked in either case.
    ...(tls && { tls, tlsServerName: brokers.every((broker) => isIP(broker.replace(/:\d+$/, "")) === 0) }),
    ...(sasl && { sasl }),
  };
}
