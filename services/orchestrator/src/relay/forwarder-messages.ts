import type { KafkaConfig } from "../kafka-config.ts";

/** One record of the topic: the session's id, and the recorded bytes of one event. */
export interface TopicRecord {
  readonly key: string;
  readonly value: string;
}

/** Where the first record of a partition's share of a batch was written. */
export interface WrittenAt {
  readonly partition: number;
  readonly offset: bigint;
}

/** What the thread is started with. */
export type ForwarderData = Pick<KafkaConfig, "brokers" | "tls" | "sasl">;

/** What the thread is asked. */
export type ForwarderRequest =
  | { readonly kind: "send"; readonly id: number; readonly records: readonly TopicRecord[] }
  | { readonly kind: "check"; readonly id: number };

/** What went wrong, as much of it as can leave the thread: errors of the client hang on to sockets and buffers. */
export interface ForwarderFailure {
  readonly code: string;
  readonly message: string;
  /** The broker takes no record, or no batch, of this size. */
  readonly tooLarge: boolean;
}

/** What the thread answers. */
export type ForwarderAnswer =
  | { readonly kind: "done"; readonly id: number; readonly written: readonly WrittenAt[] }
  | { readonly kind: "failed"; readonly id: number; readonly failure: ForwarderFailure };
