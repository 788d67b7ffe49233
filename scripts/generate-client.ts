/**
 * Writes the types of packages/client from the orchestrator's OpenAPI document:
 *
 *   node scripts/generate-client.ts [--check] [--out FILE]
 *
 * With --check nothing is written: when the file is missing or differs it is named, and the exit code is 1.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { clientTypes } from "./openapi-types/src/client-types.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    out: { type: "string", default: join(root, "packages/client/src/generated/orchestrator.ts") },
  },
});

const source = await clientTypes(join(root, "docs/reference/openapi/orchestrator.json"));
if (!values.check) {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, source);
  process.stdout.write(`${values.out} written\n`);
} else if (read(values.out) !== source) {
  process.stderr.write(`stale: ${values.out}\nRun: node scripts/generate-client.ts\n`);
  process.exitCode = 1;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
