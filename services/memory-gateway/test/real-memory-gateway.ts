import { readFileSync } from "node:fs";
import { join } from "node:path";
import { memoryAudience, type Capability } from "@soma/contracts/wire-names";
import type { Server } from "@soma/kit/server";
import { createTestLog, type LogUnderTest } from "../../../packages/kit/test/log-lines.ts";
import type { IdentityService } from "../../orchestrator/test/harness/real-services.ts";
import { buildApp } from "../src/app.ts";
import { readMemoryConfig } from "../src/config.ts";
import { openMemoryGateway, type MemoryParts } from "../src/memory-gateway.ts";

export interface RealMemoryGateway extends AsyncDisposable {
  readonly app: Server;
  readonly parts: MemoryParts;
  readonly log: LogUnderTest;
  /** Goes ahead of the clock by so much. */
  advance(ms: number): void;
}

/** The memory gateway as it is shipped, asked in the process. */
export async function startMemoryGateway(settings: Readonly<Record<string, string>>): Promise<RealMemoryGateway> {
  const log = createTestLog();
  let ahead = 0;
  const parts = await openMemoryGateway(
    readMemoryConfig({ PORT: "0", ...settings }),
    log.log,
    () => Date.now() + ahead,
  );
  const app = await buildApp(parts);
  return {
    app,
    parts,
    log,
    advance: (ms) => {
      ahead += ms;
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await parts.close();
    },
  };
}

interface TokenRequest {
  readonly user: string;
  readonly tenant?: string;
  readonly capabilities?: readonly Capability[];
  readonly audience?: string;
  readonly session?: string;
  readonly step?: string;
}

const all: readonly Capability[] = ["memory.recall", "memory.remember", "model.embed"];

/** A token for memory as the orchestrator gets one for a step. */
export async function memoryToken(
  identity: IdentityService,
  { user, tenant = "tenant-demo", capabilities = all, audience = memoryAudience, session, step }: TokenRequest,
): Promise<string> {
  const secret = readFileSync(join(identity.credentialsDir, "orchestrator"), "utf8").trim();
  const answer = await fetch(new URL("/v1/tokens/issue", identity.url), {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: JSON.stringify({
      user_id: user,
      tenant_id: tenant,
      capabilities,
      audience,
      ...(session !== undefined && { session_id: session }),
      ...(step !== undefined && { step }),
    }),
  });
  const body: { token?: string } = JSON.parse(await answer.text());
  if (body.token === undefined) throw new Error(JSON.stringify(body));
  return body.token;
}
