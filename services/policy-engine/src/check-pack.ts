import { readFile } from "node:fs/promises";
import { loadPack } from "./packs/load-pack.ts";

/**
 * For authors: `node services/policy-engine/src/check-pack.ts FILE…` says of each pack what the engine would say when
 * it loads it, shared ones (`_<pack>.yaml`) included: one `file:line: reason` for each problem. Exits with 0 when all are good, 1 when not, 64 without a file.
 */
async function checkPacks(paths: readonly string[]): Promise<number> {
  if (paths.length === 0) {
    process.stderr.write("usage: node services/policy-engine/src/check-pack.ts FILE…\n");
    return 64;
  }
  let code = 0;
  for (const path of paths) {
    const problems = await checkPack(path);
    for (const problem of problems) process.stdout.write(`${path}:${problem}\n`);
    if (problems.length > 0) code = 1;
    else process.stdout.write(`${path}: ok\n`);
  }
  return code;
}

async function checkPack(path: string): Promise<string[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return [`1: cannot be read: ${error instanceof Error ? error.message : "unknown"}`];
  }
  const loaded = loadPack(path, bytes, path);
  return loaded.ok ? [] : loaded.problems.map(({ line, reason }) => `${String(line)}: ${reason}`);
}

process.exitCode = await checkPacks(process.argv.slice(2));
