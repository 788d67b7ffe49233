import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CliError } from "./exit-codes.ts";
import { runTool, toolFile } from "./run-tool.ts";

interface Wanted {
  readonly stack: string;
  readonly tenant: string;
  readonly user: string;
}

/** Everything that a token for the API can carry: what is granted is what the user has of it. */
const capabilities = [
  "session.start",
  "session.read",
  "session.cancel",
  "model.complete",
  "model.embed",
  "session.approve",
  "ledger.read",
  "tenant.read",
  "tenant.manage",
  "key.manage",
  "platform.manage",
  "session.steer",
  "session.stop",
  "budget.extend",
  "memory.recall",
  "memory.remember",
  "subject.erase",
];

/**
 * Development only: has the identity service of a stack that runs from this checkout issue a token, with the credential
 * of the login service that lies in the stack's data. Whoever can read that file can be any user of the stack.
 */
export async function logInToDevelopmentStack({
  stack,
  tenant,
  user,
}: Wanted): Promise<{ url: string; token: string }> {
  const { stdout } = await runTool(toolFile("scripts/stack/src/main.ts"), ["status", "--json", "--name", stack]);
  const parts = readParts(stdout);
  const identity = parts.get("identity-service");
  const url = parts.get("gateway") ?? parts.get("orchestrator");
  if (identity === undefined || url === undefined)
    throw new CliError("unavailable", `No stack named ${stack} runs from this checkout.`, "make dev-up");
  const dataDir = stack === "dev" ? ".soma/data/dev" : `.soma/run/${stack}/data`;
  const file = fileURLToPath(new URL(`../../../${dataDir}/credentials/login`, import.meta.url));
  const answer = await fetch(`${identity}/v1/tokens/issue`, {
    method: "POST",
    redirect: "error",
    headers: { "content-type": "application/json", authorization: `Bearer ${readCredential(file)}` },
    body: JSON.stringify({
      user_id: user,
      tenant_id: tenant,
      capabilities,
      audience: "somagent-orchestrator",
      ttl_seconds: 3600,
    }),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => {
    throw new CliError("unavailable", `The stack's identity service at ${identity} gave no answer.`, "make dev-status");
  });
  const body: { token?: unknown; detail?: unknown } = JSON.parse(await answer.text());
  if (typeof body.token === "string") return { url, token: body.token };
  throw new CliError(
    "notAllowed",
    `The identity service issues no token for ${user} of ${tenant}: ${String(body.detail)}`,
  );
}

function readParts(text: string): ReadonlyMap<string, string> {
  const status: { running?: boolean; state?: { parts: readonly { name: string; address: string }[] } } =
    text.startsWith("{") ? JSON.parse(text) : {};
  if (status.running !== true) return new Map();
  return new Map(status.state?.parts.map(({ name, address }) => [name, address]));
}

function readCredential(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw new CliError("notAllowed", `${file} cannot be read.`, "run this as the user who started the stack");
  }
}
