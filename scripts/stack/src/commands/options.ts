import { optionalPartNames, partNames, usualPartNames, type PartName } from "../part.ts";
import { developmentDataDir } from "../layout.ts";
import { developmentPorts, portNames, type Ports } from "../ports.ts";
import { isPartName } from "../state/stack-state.ts";
import type { StackOptions } from "../start-stack.ts";

/** Wrong use of the command line; the message says what is accepted. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Variables of the user's that reach the orchestrator of a developer's stack; the rest of the environment does not. */
const passedOn = [
  "KAFKA_BOOTSTRAP_SERVERS",
  "MEMORY_GATEWAY_URL",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "ENABLE_VOLCANO_SCHEDULER",
  "KUBECONFIG",
  "LOG_LEVEL",
];

/** Names on the command line: `--part` alone gives a smaller stack, `--with` adds an optional part. */
interface PartChoice {
  readonly only: readonly string[];
  readonly added: readonly string[];
}

/** A developer's stack: fixed ports and kept data, changed by `--part`, `--with` and `--port name=number`. */
export function readStackOptions(name: string, choice: PartChoice, ports: readonly string[]): StackOptions {
  const orchestrator: Record<string, string> = {};
  for (const variable of passedOn) {
    const value = process.env[variable];
    if (value !== undefined) orchestrator[variable] = value;
  }
  return {
    name,
    parts: readParts(choice),
    ports: { ...developmentPorts, ...readPorts(ports) },
    rayWorkerPorts: { from: 21_000, to: 21_199 },
    ...(name === "dev" && { dataDir: developmentDataDir }),
    env: { orchestrator },
  };
}

function readParts({ only, added }: PartChoice): PartName[] {
  const chosen = only.length > 0 ? only.map((part) => readPart(part)) : [...usualPartNames];
  const extra = added.map((text) => {
    const known = optionalPartNames.find((part) => part === text);
    if (known === undefined) throw new UsageError(`--with ${text}; accepted: ${optionalPartNames.join(", ")}`);
    return known;
  });
  return [...chosen, ...extra];
}

function readPart(text: string): PartName {
  if (isPartName(text)) return text;
  throw new UsageError(`--part ${text}; accepted: ${partNames.join(", ")}`);
}

function readPorts(settings: readonly string[]): Partial<Ports> {
  return Object.fromEntries(
    settings.map((setting) => {
      const [wanted, number] = setting.split("=");
      const name = portNames.find((known) => known === wanted);
      const port = /^\d{1,5}$/.test(number ?? "") ? Number(number) : -1;
      if (name === undefined || port < 0 || port > 65_535)
        throw new UsageError(
          `--port ${setting}; accepted: NAME=NUMBER, 0 for a free one, with ${portNames.join(", ")}`,
        );
      return [name, port];
    }),
  );
}
