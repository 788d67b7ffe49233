import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KnownTenant } from "@soma/contracts/tenant";
import { createLogger } from "@soma/kit/logger";
import { buildApp as buildIdentityApp } from "../../../identity-service/src/app.ts";
import { readSettings } from "../../../identity-service/src/config.ts";
import { openIdentity } from "../../../identity-service/src/identity.ts";
import { buildApp as buildPolicyApp } from "../../../policy-engine/src/app.ts";

const infra = fileURLToPath(new URL("../../../../infra/", import.meta.url));
const log = createLogger("test", "silent");

/** The real policy engine with the packs that the project ships, on a free port. */
export async function startPolicyEngine(): Promise<AsyncDisposable & { readonly url: URL }> {
  const app = await buildPolicyApp({
    settings: { POLICY_DIR: join(infra, "policy"), DECISION_TTL_SECONDS: 60 },
    log,
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return { url: new URL("/v1/evaluate", url), [Symbol.asyncDispose]: () => app.close() };
}

export interface IdentityService extends AsyncDisposable {
  readonly url: URL;
  /** File with the orchestrator's credential. */
  readonly credentialFile: string;
  /** Where the credential of each service is, in the file of its name. */
  readonly credentialsDir: string;
  /** A user's token, as an operator gets it. */
  login(request: Record<string, unknown>): Promise<string>;
  /** What it knows of a tenant, as the orchestrator may ask. */
  tenant(tenant: string): Promise<KnownTenant>;
}

/** The real identity service with the registry that the project ships, on a free port and a folder of its own. */
export async function startIdentityService(): Promise<IdentityService> {
  const folder = mkdtempSync(join(tmpdir(), "soma-identity-"));
  const identity = await openIdentity(
    readSettings({ DATA_DIR: folder, REGISTRY_FILE: join(infra, "identity/registry.yaml"), PORT: "0" }),
    log,
  );
  const app = await buildIdentityApp(identity);
  const url = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
  const credentials = join(folder, "credentials");
  return {
    url,
    credentialFile: join(credentials, "orchestrator"),
    credentialsDir: credentials,
    async login(request) {
      const secret = readFileSync(join(credentials, "login"), "utf8").trim();
      const answer = await app.inject({
        method: "POST",
        url: "/v1/tokens/issue",
        headers: { authorization: `Bearer ${secret}` },
        payload: request,
      });
      if (answer.statusCode !== 200) throw new Error(answer.body);
      return String(answer.json().token);
    },
    async tenant(tenant) {
      const secret = readFileSync(join(credentials, "orchestrator"), "utf8").trim();
      const answer = await app.inject({ url: `/v1/tenants/${tenant}`, headers: { authorization: `Bearer ${secret}` } });
      if (answer.statusCode !== 200) throw new Error(answer.body);
      return answer.json();
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await identity.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
