import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { TestContext } from "node:test";
import { createLogger } from "@soma/kit/logger";
import { generateSecret, generateSync } from "otplib";
import { buildApp } from "../src/app.ts";
import { readSettings } from "../src/config.ts";
import { openIdentity } from "../src/identity.ts";

export const registryText = `version: 1
services:
  orchestrator: { audiences: [somagent-slm], capabilities: [model.complete, model.embed], manages_tenants: true }
  login:
    audiences: [somagent-orchestrator, somagent-slm]
    capabilities: [session.start, session.read, session.cancel, model.complete]
tenants:
  acme:
    users:
      ann: { role: operator, capabilities: [session.start, session.read, model.complete, model.embed] }
      vic: { role: viewer, capabilities: [session.read] }
      mia: { role: admin, capabilities: [session.start, model.complete], totp_secret_file: acme-mia }
      max: { role: admin, capabilities: [session.start], mfa: required }
    agents:
      session-agent: { capabilities: [model.complete] }
  other:
    users:
      ann: { role: viewer, capabilities: [session.read] }
`;

/** The same with what exchanges need: a service that issues nothing, and a second agent. */
export const exchangeRegistry = registryText
  .replace(
    "tenants:\n",
    `  gateway:
    audiences: []
    capabilities: [session.start, session.read, model.complete]
    exchange: { from: [somagent-orchestrator, somagent-slm], to: [somagent-orchestrator, somagent-slm] }
tenants:
`,
  )
  .replace(
    "    agents:\n",
    "    agents:\n      reader: { capabilities: [session.start, session.read, model.complete] }\n",
  );

const withKey = (key: string | undefined) => (key === undefined ? {} : { "idempotency-key": key });

/** A folder for one test, gone after it. */
export function makeDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "soma-identity-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes what an operator writes: the registry and mia's TOTP secret, which it returns. */
export function writeFiles(dir: string, registry = registryText): string {
  const secret = generateSecret();
  mkdirSync(join(dir, "totp"), { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, "totp", "acme-mia"), `${secret}\n`, { mode: 0o600 });
  writeFileSync(join(dir, "registry.yaml"), registry);
  return secret;
}

export function settingsFor(dir: string, environment: Readonly<Record<string, string>> = {}) {
  return readSettings({
    DATA_DIR: dir,
    REGISTRY_FILE: join(dir, "registry.yaml"),
    PORT: "0",
    LOG_LEVEL: "debug",
    ...environment,
  });
}

/** The service as `main.ts` builds it, with a clock that the test moves and a log that it can read. */
export async function startIdentity(
  t: TestContext,
  options: {
    readonly dir?: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly registry?: string;
  } = {},
) {
  const dir = options.dir ?? makeDir(t);
  const totpSecret =
    options.dir === undefined
      ? writeFiles(dir, options.registry)
      : readFileSync(join(dir, "totp", "acme-mia"), "utf8").trim();
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString("utf8"));
      done();
    },
  });
  const clock = { nowMs: Math.floor(Date.now() / 1_000) * 1_000 };
  const log = createLogger("identity-service", "debug", sink);
  const identity = await openIdentity(settingsFor(dir, options.environment), log, () => clock.nowMs);
  const app = await buildApp(identity);
  let open = true;
  const stop = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await app.close();
    await identity.close();
  };
  t.after(stop);
  const secretOf = (service: string): string => readFileSync(join(dir, "credentials", service), "utf8");
  const post = (url: string, body: unknown, secret?: string, headers: Readonly<Record<string, string>> = {}) =>
    app.inject({
      method: "POST",
      url,
      headers: {
        "content-type": "application/json",
        ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
        ...headers,
      },
      body: JSON.stringify(body),
    });
  const issue = (request: Record<string, unknown> = {}, service = "login", key?: string) =>
    post(
      "/v1/tokens/issue",
      { user_id: "ann", tenant_id: "acme", capabilities: ["session.start"], ...request },
      secretOf(service),
      withKey(key),
    );
  const exchange = (request: Record<string, unknown>, service = "gateway", key?: string) =>
    post(
      "/v1/tokens/exchange",
      {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
        audience: "somagent-slm",
        ...request,
      },
      secretOf(service),
      withKey(key),
    );
  const manage = (method: "GET" | "PUT" | "POST" | "DELETE", url: string, body?: unknown, key?: string) =>
    app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${secretOf("orchestrator")}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...withKey(key),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const verify = async (token: string) => (await post("/v1/tokens/verify", { token })).json();
  return {
    dir,
    app,
    identity,
    clock,
    lines,
    totpSecret,
    secretOf,
    post,
    issue,
    exchange,
    verify,
    /** As the service that keeps the tenants. */
    manage,
    /** Why the service says, to a service, that a token is not valid; undefined when it is. */
    reasonOf: async (token: string) =>
      (await post("/v1/tokens/verify", { token }, secretOf("orchestrator"))).json().reason,
    stop,
    /** mia's code at the test's time, `steps` periods later. */
    codeAt: (steps = 0): string =>
      generateSync({ secret: totpSecret, epoch: Math.floor(clock.nowMs / 1_000) + steps * 30 }),
    /** A token as it is issued; the test fails when it is not. */
    token: async (request: Record<string, unknown> = {}, service = "login"): Promise<string> => {
      const answer = await issue(request, service);
      if (answer.statusCode !== 200) throw new Error(answer.body);
      return String(answer.json().token);
    },
    metric: async (name: string, labels: Readonly<Record<string, string>>): Promise<number> => {
      const metric = await identity.metrics.registry.getSingleMetric(name)?.get();
      const value = metric?.values.find((one) =>
        Object.entries(labels).every(([label, text]) => Reflect.get(one.labels, label) === text),
      );
      return value?.value ?? 0;
    },
  };
}
