import { readFileSync } from "node:fs";
import { join } from "node:path";
import { slmAudience } from "@soma/contracts/wire-names";
import { root } from "../../scripts/stack/src/layout.ts";
import type { UsualPartName } from "../../scripts/stack/src/part.ts";
import type { RunningStack } from "../../scripts/stack/src/start-stack.ts";
import type { StackUnderTest } from "./stack-under-test.ts";

/** A token for the model service, as a step gets it. */
export async function modelToken(stack: RunningStack): Promise<string> {
  const secret = readFileSync(describeStack(stack).credentialFile, "utf8").trim();
  const answer = await fetch(`${stack.url("identity-service")}/v1/tokens/issue`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: JSON.stringify({
      user_id: "user-demo",
      tenant_id: "tenant-demo",
      capabilities: ["model.complete", "model.embed"],
      audience: slmAudience,
      ttl_seconds: 3600,
    }),
  });
  const { token }: { token: string } = JSON.parse(await answer.text());
  return token;
}

/** What test files are told of the stack that runs for them. */
export function describeStack(stack: RunningStack): StackUnderTest {
  const dataDir = join(stack.runDir, "data");
  return {
    urls: ofEach((name) => stack.url(name)),
    logFiles: ofEach((name) => stack.logFile(name)),
    credentialFile: join(dataDir, "credentials/orchestrator"),
    identityDataDir: join(dataDir, "identity-service"),
    orchestratorDataDir: join(dataDir, "orchestrator"),
    slmDataDir: join(dataDir, "slm"),
    temporalDatabase: join(dataDir, "temporal.db"),
    temporalCli: join(root, ".soma/temporal/bin/temporal"),
    python: join(root, ".soma/temporal/bin/python"),
  };
}

function ofEach(read: (name: UsualPartName) => string): Record<UsualPartName, string> {
  return {
    ray: read("ray"),
    slm: read("slm"),
    temporal: read("temporal"),
    "policy-engine": read("policy-engine"),
    "identity-service": read("identity-service"),
    "memory-gateway": read("memory-gateway"),
    orchestrator: read("orchestrator"),
    gateway: read("gateway"),
  };
}
