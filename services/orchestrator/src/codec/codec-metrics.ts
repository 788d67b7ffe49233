import { Counter, type Registry } from "@soma/kit/metrics";

export interface CodecMetrics {
  readonly requests: Counter<"outcome">;
  readonly payloads: Counter<"outcome">;
}

/** What an operator watches of the codec server: each request makes texts readable to somebody. */
export function createCodecMetrics(registry: Registry): CodecMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: "soma_codec_requests_total",
      help: "Decode requests that were let in, by outcome: opened (all that was encrypted), partly, none",
      labelNames: ["outcome"],
      registers,
    }),
    payloads: new Counter({
      name: "soma_codec_payloads_total",
      help: "Encrypted payloads of decode requests, by outcome: opened or closed",
      labelNames: ["outcome"],
      registers,
    }),
  };
}
