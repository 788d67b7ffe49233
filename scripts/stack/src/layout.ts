import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readOrCreateSecretFile } from "@soma/kit/secret-file";

/** The checkout that this file belongs to. */
export const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

/** The folder of a stack's state and logs. @throws TypeError for a name that cannot be a folder's. */
export function runDirOf(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(name))
    throw new TypeError(`a stack's name is lower-case letters, digits and dashes: ${name}`);
  return `${root}/.soma/run/${name}`;
}

/** The state file of a stack. */
export function stateFileOf(name: string): string {
  return `${runDirOf(name)}/state.json`;
}

/** Where a developer's databases, keys and credentials lie. */
export const developmentDataDir = `${root}/.soma/data/dev`;

/** Where Node keeps what it has compiled: a process that was started here before starts with a third less work. */
export const compileCache = { NODE_COMPILE_CACHE: `${root}/.soma/compile-cache` } as const;

/** The jars of the Kafka broker. */
export const kafkaJars = `${root}/.soma/kafka/lib`;

/** Something that `make setup` brings is not there. */
export class NotSetUpError extends Error {
  override readonly name = "NotSetUpError";
}

/** @throws NotSetUpError naming what is missing, on another system than Linux, or on an old Node. */
export function assertSetUp(): void {
  if (process.platform !== "linux")
    throw new NotSetUpError("The local stack runs on Linux (WSL included): it finds its processes in /proc.");
  if (Number(process.versions.node.split(".")[0]) < 24)
    throw new NotSetUpError(`This is Node ${process.versions.node}; 24 or newer is needed. Use the make targets.`);
  const tools = [".soma/temporal/bin/temporal", ".soma/slm/bin/ray", ".soma/models/all-minilm-l6-v2.f16.gguf"];
  const missing = tools.filter((path) => !existsSync(join(root, path)));
  if (missing.length > 0) throw new NotSetUpError(`Not set up yet: ${missing.join(", ")} missing. Run: make setup`);
}

/** @throws NotSetUpError when the Kafka broker is not there, which `make setup` brings where Java and Maven are. */
export function assertKafkaSetUp(): void {
  if (!existsSync(kafkaJars))
    throw new NotSetUpError("Kafka is not set up: install Java 17 or newer and Maven, then run: make setup");
}

/**
 * Makes a stack's folders, empty but for the data and the log of its owner. Databases, keys and prompts are in there:
 * for this user's eyes only.
 */
export function prepareFolders(runDir: string, dataDir: string): { rayDir: string } {
  for (const part of ["logs", "ray", "ray-token"]) rmSync(join(runDir, part), { recursive: true, force: true });
  for (const folder of [join(runDir, "logs"), join(runDir, "ray"), dataDir])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  readOrCreateSecretFile(join(runDir, "ray-token"), () => Buffer.from(randomBytes(32).toString("hex")));
  // A short name for Ray's folder: its sockets' paths are bounded by 107 bytes, and a checkout may lie deep.
  const digest = createHash("sha256").update(runDir).digest("hex").slice(0, 8);
  const rayDir = join(tmpdir(), `soma-${digest}-${randomBytes(3).toString("hex")}`);
  symlinkSync(join(runDir, "ray"), rayDir);
  return { rayDir };
}
