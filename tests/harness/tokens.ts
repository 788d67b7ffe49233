import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  capabilities as allCapabilities,
  memoryAudience,
  orchestratorAudience,
  slmAudience,
  type Capability,
} from "@soma/contracts/wire-names";
import { stackUnderTest } from "./stack-under-test.ts";

/** A token as somebody gets it who logs in: a user of the registry, with what he asks for of what he may have. */
export function tokenOf(
  tenant: string,
  user: string,
  capabilities: readonly Capability[] = allCapabilities,
): Promise<string> {
  return issue("login", { tenant_id: tenant, user_id: user, capabilities, audience: orchestratorAudience });
}

/** A token for the model service, as the orchestrator gets it for a step. */
export function stepTokenOf(tenant: string, user: string): Promise<string> {
  const capabilities = ["model.complete", "model.embed"];
  return issue("orchestrator", { tenant_id: tenant, user_id: user, capabilities, audience: slmAudience });
}

/** A token for the memory gateway, as the orchestrator gets it for a step. */
export function memoryTokenOf(tenant: string, user: string): Promise<string> {
  const capabilities = ["memory.recall", "memory.remember", "model.embed"];
  return issue("orchestrator", { tenant_id: tenant, user_id: user, capabilities, audience: memoryAudience });
}

async function issue(service: "login" | "orchestrator", request: Record<string, unknown>): Promise<string> {
  const stack = stackUnderTest();
  const secret = readFileSync(join(dirname(stack.credentialFile), service), "utf8").trim();
  const answer = await fetch(`${stack.urls["identity-service"]}/v1/tokens/issue`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: JSON.stringify(request),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`the login was answered with ${String(answer.status)}: ${text}`);
  const { token }: { token: string } = JSON.parse(text);
  return token;
}
