import { Counter, type Registry } from "@soma/kit/metrics";

/** What an operator watches of those who come past the gateway. */
export function createHopMetrics(registry: Registry): { readonly refused: Counter<"reason"> } {
  return {
    refused: new Counter({
      name: "soma_hop_refused_total",
      help: "Requests refused because they did not come through the gateway, by what was wrong with the hop token",
      labelNames: ["reason"],
      registers: [registry],
    }),
  };
}
