import { readFileSync } from "node:fs";
import { accepted, ConfigError } from "@soma/kit/config";
import { GatewaySettings } from "../../services/gateway/src/config.ts";
import { Environment as IdentitySettings } from "../../services/identity-service/src/config.ts";
import { MemorySettings } from "../../services/memory-gateway/src/config.ts";
import { readOrchestratorConfig } from "../../services/orchestrator/src/config.ts";
import { OrchestratorSettings } from "../../services/orchestrator/src/settings.ts";
import { Settings as PolicySettings } from "../../services/policy-engine/src/config.ts";
import { code, page, readTable, table } from "./markdown.ts";
import { defaultOf, descriptionOf } from "./schema-words.ts";

/** A service's settings: one property for each variable. */
interface Settings {
  readonly properties: Readonly<Record<string, Parameters<typeof accepted>[0]>>;
  readonly required?: readonly string[];
}

const header = ["variable", "meaning", "accepted", "default"];

/** Every variable that a service reads, from the schemas that the services themselves read them by. */
export function configurationPage(): string {
  return page(
    "Configuration",
    "the services' `config.ts` and, for `services/slm`, its README",
    [
      "Each service reads its environment once, at the start. An empty variable counts as unset. A value that is not accepted",
      "stops the start with one line that names the variable, what was found (never a secret) and what is accepted; the exit",
      "status is 78 (the model service: 2, and there a variable that is set but empty is not accepted).",
    ].join("\n"),
    "## Orchestrator",
    "`services/orchestrator/src/config.ts`; read by `main.ts`, `main-api.ts`, `main-worker.ts`, `main-codec.ts` and `rotate-content-keys.ts`.",
    fromSchema(OrchestratorSettings, "services/orchestrator"),
    "Some names are known and cannot be used yet. Set, they stop the start, so that nobody relies on what is not there:",
    refusals().join("\n"),
    "## Policy engine",
    "`services/policy-engine/src/config.ts`",
    fromSchema(PolicySettings, "services/policy-engine"),
    "## Identity service",
    "`services/identity-service/src/config.ts`",
    fromSchema(IdentitySettings, "services/identity-service"),
    "## Gateway",
    "`services/gateway/src/config.ts`",
    fromSchema(GatewaySettings, "services/gateway"),
    "## Memory gateway",
    "`services/memory-gateway/src/config.ts`",
    fromSchema(MemorySettings, "services/memory-gateway"),
    "## Model service",
    "`services/slm/soma_slm/settings.py`",
    modelServiceTable(),
  );
}

function fromSchema(schema: Settings, service: string): string {
  const meanings = readmeMeanings(service);
  const rows = Object.entries(schema.properties).map(([name, property]) => {
    const meaning = descriptionOf(property) || (meanings.get(name) ?? "");
    if (meaning === "") throw new Error(`${service}: nothing says what ${name} means`);
    const value = defaultOf(property);
    const otherwise = schema.required?.includes(name) ? "must be set" : "unset";
    return [code(name), meaning, accepted(property), value === "" ? otherwise : code(value)];
  });
  return table(header, rows);
}

/** What the orchestrator itself says to each setting of a later version. */
function refusals(): string[] {
  const names = ["ENABLE_VOLCANO_SCHEDULER", "OTEL_EXPORTER_OTLP_ENDPOINT"];
  return names.map((name) => {
    try {
      readOrchestratorConfig({ [name]: "true" });
    } catch (error) {
      if (error instanceof ConfigError) return `- ${error.message.replace(name, code(name))}`;
      throw error;
    }
    throw new Error(`the orchestrator accepts ${name} now: take it off this list`);
  });
}

/** What a service's README says of its variables: for schemas that carry no descriptions. */
function readmeMeanings(service: string): Map<string, string> {
  const readme = readText(`${service}/README.md`);
  if (readme === undefined) return new Map();
  return new Map(
    readTable(readme, "variable").flatMap(([names = "", meaning = ""]) =>
      namesIn(names).map((name): [string, string] => [name, meaning]),
    ),
  );
}

/** Python has no schema to read: the table of its README, checked against the names that its code reads. */
function modelServiceTable(): string {
  const readme = readText("services/slm/README.md") ?? "";
  const rows = readTable(readme, "variable");
  const written = new Set(rows.flatMap(([names = ""]) => namesIn(names)));
  const source = readText("services/slm/soma_slm/settings.py") ?? "";
  const used = new Set([...source.matchAll(/"((?:SLM|RAY|IDENTITY)_[A-Z_]+)"/g)].map(([, name = ""]) => name));
  const apart = [...written, ...used].filter((name) => !(written.has(name) && used.has(name)));
  if (apart.length > 0) throw new Error(`services/slm: README and settings.py differ in ${apart.join(", ")}`);
  return table(["variable", "meaning", "default"], rows);
}

function namesIn(text: string): string[] {
  return [...text.matchAll(/`([A-Z][A-Z0-9_]*)`/g)].map(([, name = ""]) => name);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  } catch {
    return undefined;
  }
}
