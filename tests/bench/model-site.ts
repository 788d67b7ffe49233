import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { orchestratorAudience } from "@soma/contracts/wire-names";
import { runDirOf } from "../../scripts/stack/src/layout.ts";
import { startStack, type RunningStack } from "../../scripts/stack/src/start-stack.ts";
import { modelToken } from "../harness/describe-stack.ts";
import type { ModelSite } from "./suite/model-stream.ts";

/** The whole stack with the real model, as `make dev-up` starts it, on free ports with data of its own. */
export async function openModelSite(name: string): Promise<ModelSite & { close(): Promise<void> }> {
  rmSync(runDirOf(name), { recursive: true, force: true });
  const stack = await startStack({ name });
  return {
    gatewayUrl: stack.url("gateway"),
    modelUrl: stack.url("slm"),
    callerToken: () => callerToken(stack),
    modelToken: () => modelToken(stack),
    close: () => stack.stop(),
  };
}

/** What somebody gets who logs in. */
async function callerToken(stack: RunningStack): Promise<string> {
  const secret = readFileSync(join(stack.runDir, "data/credentials/login"), "utf8").trim();
  const answer = await fetch(`${stack.url("identity-service")}/v1/tokens/issue`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: JSON.stringify({
      user_id: "user-demo",
      tenant_id: "tenant-demo",
      capabilities: ["session.start", "session.read", "session.cancel"],
      audience: orchestratorAudience,
      ttl_seconds: 3600,
    }),
  });
  const { token }: { token: string } = JSON.parse(await answer.text());
  return token;
}
