import { Value } from "typebox/value";
import type { TLocalizedValidationError } from "typebox/error";
import { refuse, type Checked } from "./pack-problem.ts";
import { PackFile } from "./pack-schema.ts";
import { readYaml, type YamlSource } from "./yaml-source.ts";

export interface ReadPack {
  readonly file: PackFile;
  readonly source: YamlSource;
}

/** From bytes to a value of the schema; each problem names its line and field. */
export function readPackFile(bytes: Uint8Array): Checked<ReadPack> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse([{ line: 1, reason: "the file is not UTF-8" }]);
  }
  const yaml = readYaml(text);
  if (!yaml.ok) return yaml;
  const source = yaml.value;
  if (!Value.Check(PackFile, source.value)) {
    const problems = Value.Errors(PackFile, source.value).flatMap(describeIssue);
    return refuse(
      problems.map(({ path, reason }) => ({ line: source.lineOf(path), reason: `${nameOf(path)}: ${reason}` })),
    );
  }
  return { ok: true, value: { file: source.value, source } };
}

interface Issue {
  readonly path: readonly string[];
  readonly reason: string;
}

function describeIssue(error: TLocalizedValidationError): Issue[] {
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (error.keyword === "required")
    return error.params.requiredProperties.map((name) => ({ path: [...path, name], reason: "is required" }));
  if (error.keyword === "additionalProperties") {
    const reason = "is not a known field or an acceptable name";
    return error.params.additionalProperties.map((name) => ({ path: [...path, name.slice(0, 64)], reason }));
  }
  // The `false` schema behind additionalProperties repeats what that issue says better.
  if (error.keyword === "boolean") return [];
  if (error.keyword === "enum")
    return [{ path, reason: `must be one of ${error.params.allowedValues.map(String).join(", ")}` }];
  if (error.keyword === "const") return [{ path, reason: `must be ${String(error.params.allowedValue)}` }];
  return [{ path, reason: error.message }];
}

function nameOf(path: readonly string[]): string {
  return path.length === 0 ? "the pack" : path.join(".");
}
