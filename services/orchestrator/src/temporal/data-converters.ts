import { fileURLToPath } from "node:url";
import type { DataConverter } from "@temporalio/common";
import type { Ledger } from "../ledger/ledger.ts";
import { SessionCodec } from "./payload-codec.ts";
import { SessionSubjects } from "./session-subjects.ts";

/** The module that Temporal loads by its path, in the process and in the bundle of workflows. */
export const failureConverterPath = fileURLToPath(new URL("./failure-converter.ts", import.meta.url));

/** How client and worker of this process turn values into what Temporal keeps; they share what they know of sessions. */
export interface DataConverters {
  readonly client: DataConverter;
  readonly worker: DataConverter;
}

export function createDataConverters(ledger: Ledger, namespace: string): DataConverters {
  const sessions = new SessionSubjects(ledger);
  const converter = (unknown: "plain" | "refuse"): DataConverter => ({
    failureConverterPath,
    payloadCodecs: [new SessionCodec({ namespace, sessions, keys: ledger.contentKeys, unknown })],
  });
  return { client: converter("refuse"), worker: converter("plain") };
}
