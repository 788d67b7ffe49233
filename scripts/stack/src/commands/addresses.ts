import type { StackState } from "../state/stack-state.ts";

/** The addresses that a person wants to open or to give to a client, one line each. */
export function describeAddresses(state: StackState): string {
  const lines = state.parts.map(({ name, address }) => `  ${name.padEnd(17)} ${address}`);
  const api = state.parts.find(({ name }) => name === "orchestrator");
  return [
    ...lines,
    ...(state.temporalUi === undefined ? [] : [`  ${"Temporal UI".padEnd(17)} ${state.temporalUi}`]),
    ...(api === undefined ? [] : [`  ${"API documents".padEnd(17)} ${api.address}/docs`]),
  ].join("\n");
}
