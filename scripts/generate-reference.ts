/**
 * Writes docs/reference from the contracts, the services' settings, metrics and routes:
 *
 *   node scripts/generate-reference.ts [--check] [--out FOLDER]
 *
 * With --check nothing is written: each file that is missing or differs is named, and the exit code is 1.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildReference } from "./reference/build-reference.ts";

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    out: { type: "string", default: fileURLToPath(new URL("../docs/reference", import.meta.url)) },
  },
});

const files = await buildReference();
if (values.check) {
  const stale = [...files].filter(([name, content]) => read(join(values.out, name)) !== content);
  for (const [name] of stale) process.stderr.write(`stale: ${join(values.out, name)}\n`);
  if (stale.length > 0) {
    process.stderr.write("Run: node scripts/generate-reference.ts\n");
    process.exitCode = 1;
  }
} else {
  for (const [name, content] of files) {
    const path = join(values.out, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  process.stdout.write(`${String(files.size)} files written to ${values.out}\n`);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
