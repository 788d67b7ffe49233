import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createLogger } from "@soma/kit/logger";
import type { Server } from "@soma/kit/server";
import { buildApp } from "../src/app.ts";

/** The parts of the pack that tests change; each is YAML, at its place and indentation. */
interface PackParts {
  readonly tenant?: string;
  readonly name?: string;
  readonly policies?: string;
  readonly authorization?: string;
  readonly rules?: string;
  readonly threshold?: string;
  readonly tail?: string;
  readonly examples?: string;
}

export const operatorsComplete = `    operators-complete: |
      permit (principal in Role::"operator", action == Action::"model.complete", resource);
`;
const smokeExample = `
  - name: smoke
    request: { user: u, role: operator, prompt: hello }
    expect: { allowed: true }
`;

/** A small good pack as an author would write it, with the given parts in place of its own. */
export function packText(parts: PackParts = {}): string {
  return `version: 1
tenant: ${parts.tenant ?? "t1"}
name: ${parts.name ?? "Test pack"}
authorization:
  policies:
${parts.policies ?? operatorsComplete}${parts.authorization ?? ""}rules: ${parts.rules ?? "[]\n"}threshold: ${parts.threshold ?? "0.8"}
${parts.tail ?? ""}examples: ${parts.examples ?? smokeExample}`;
}

export interface Engine {
  readonly app: Server;
  readonly directory: string;
  /** What the service logged so far. */
  readonly logged: () => string;
  write(file: string, text: string): void;
}

/** The shipped builder on a directory of its own with these files, closed and removed after the test. */
export async function startEngine(
  t: TestContext,
  files: Readonly<Record<string, string>> = {},
  options: { ttlSeconds?: number; now?: () => Date; directory?: string; pollMs?: number } = {},
): Promise<Engine> {
  const root = mkdtempSync(join(tmpdir(), "policy-engine-"));
  const directory = options.directory ?? root;
  const write = (file: string, text: string): void => writeFileSync(join(directory, file), text);
  for (const [file, text] of Object.entries(files)) write(file, text);
  let lines = "";
  const app = await buildApp({
    settings: { POLICY_DIR: directory, DECISION_TTL_SECONDS: options.ttlSeconds ?? 60 },
    log: createLogger("policy-engine", "trace", { write: (line: string) => void (lines += line) }),
    reload: { debounceMs: 20, pollMs: options.pollMs ?? 60_000 },
    ...(options.now && { now: options.now }),
  });
  t.after(async () => {
    await app.close();
    rmSync(root, { recursive: true, force: true });
  });
  return { app, directory, logged: () => lines, write };
}

/** A request that the small pack allows. */
export const goodRequest = {
  session_id: "sess-1",
  tenant: "t1",
  user: "u1",
  prompt: "hello",
  role: "operator",
  metadata: {},
} as const;

/** Posts a good request with these fields changed. */
export function ask(
  app: Server,
  changes: Readonly<Record<string, unknown>> = {},
  headers: Record<string, string> = {},
) {
  return app.inject({ method: "POST", url: "/v1/evaluate", headers, payload: { ...goodRequest, ...changes } });
}

/** Waits until a condition holds; fails with its name when it does not within five seconds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
}
