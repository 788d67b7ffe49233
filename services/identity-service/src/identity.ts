import { join } from "node:path";
import type { Logger } from "@soma/kit/logger";
import { totpProblem } from "./check-mfa.ts";
import type { Settings } from "./config.ts";
import { createIdentityMetrics, type IdentityMetrics } from "./identity-metrics.ts";
import { isLoopbackAddress } from "./foreign/egress.ts";
import { IssuerKeys } from "./foreign/issuer-keys.ts";
import type { LoginDeps } from "./foreign/log-in.ts";
import { KeyRing } from "./keys/key-ring.ts";
import { repeat } from "./repeat.ts";
import { RegistryFile } from "./registry/registry-file.ts";
import { Principals } from "./principals/principals.ts";
import { ServiceCredentials } from "./service-credentials.ts";
import { apiKeyLimits } from "./api-keys/api-key-limits.ts";
import { ApiKeyStore } from "./state/api-key-store.ts";
import { ForeignUserStore } from "./state/foreign-user-store.ts";
import { IssuedStore } from "./state/issued-store.ts";
import { RevocationStore } from "./state/revocation-store.ts";
import { isWritable, openStateDatabase } from "./state/state-database.ts";
import { TenantStore } from "./state/tenant-store.ts";
import { TotpStore } from "./state/totp-store.ts";
import type { IssueDeps } from "./tokens/issue-token.ts";
import type { VerifyDeps } from "./tokens/verify-token.ts";

/** Everything that the routes need, opened. */
export interface Identity extends IssueDeps, VerifyDeps, LoginDeps {
  readonly credentials: ServiceCredentials;
  readonly tenants: TenantStore;
  readonly metrics: IdentityMetrics;
  readonly log: Logger;
  /** Takes over a changed registry and replaced credentials now; done every two seconds by itself. */
  refreshRegistry(): void;
  /** Takes over, rotates and prunes keys now; done every 15 seconds by itself. */
  refreshKeys(): Promise<void>;
  /** Names of what keeps the service from being ready. */
  missing(): string[];
  close(): Promise<void>;
}

/** The folder of signing keys and their policy; also for `rotate-keys.ts`. */
export function openKeyRing(settings: Settings, clock: () => number): Promise<KeyRing> {
  return KeyRing.open({
    dir: join(settings.DATA_DIR, "keys"),
    rotationSeconds: settings.KEY_ROTATION_HOURS * 3_600,
    prepublishSeconds: settings.KEY_PREPUBLISH_SECONDS,
    clock,
  });
}

/**
 * Opens state, keys, registry and credentials, and keeps them fresh until `close`.
 *
 * @throws ConfigError when one of them cannot be trusted as it is.
 */
export async function openIdentity(settings: Settings, log: Logger, clock: () => number = Date.now): Promise<Identity> {
  const secretsDir = settings.TOTP_SECRETS_DIR;
  const metrics = createIdentityMetrics();
  const registry = new RegistryFile({
    path: settings.REGISTRY_FILE,
    log,
    refused: metrics.registryRefused,
    totpProblem: (fileName) => totpProblem(secretsDir, fileName),
  });
  const credentials = new ServiceCredentials(settings.SERVICE_CREDENTIALS_DIR);
  credentials.load(registry.current().services.keys());
  const keys = await openKeyRing(settings, clock);
  const database = openStateDatabase(settings.DATA_DIR);
  const revocations = new RevocationStore(database);
  const totp = new TotpStore(database);
  const apiKeys = new ApiKeyStore(database);
  const tenants = new TenantStore(database);
  const foreignUsers = new ForeignUserStore(database);
  // Who listens to this machine alone may believe it; beyond it, a tenant's URL must not lead to what stands beside us.
  const loopbackAllowed = settings.HOST === "localhost" || isLoopbackAddress(settings.HOST);
  // A key whose token is lost with the machine gets another one; that is not worth a flush for each token.
  const memory = openStateDatabase(settings.DATA_DIR, "process");
  const issued = new IssuedStore(memory);

  const refreshRegistry = (): void => {
    registry.reload();
    credentials.load(registry.current().services.keys());
  };
  const prune = (): void => {
    revocations.prune(Math.floor(clock() / 1_000));
    totp.prune(clock() - 3_600_000);
    issued.prune(Math.floor(clock() / 1_000));
    foreignUsers.prune(Math.floor(clock() / 1_000));
    apiKeys.prune(Math.floor(clock() / 1_000) - apiKeyLimits.listedSeconds);
  };
  const tasks = [
    repeat({ name: "registry", everyMs: 2_000, log, task: refreshRegistry }),
    repeat({ name: "signing-keys", everyMs: 15_000, log, task: () => keys.refresh() }),
    repeat({ name: "pruning", everyMs: 60_000, log, task: prune }),
  ];
  return {
    registry: () => registry.current(),
    principals: new Principals({ registry: () => registry.current(), tenants, apiKeys, foreignUsers, clock }),
    keys,
    revocations,
    apiKeys,
    tenants,
    foreignUsers,
    issuerKeys: new IssuerKeys({ loopbackAllowed, log, fetches: metrics.keyFetches, clock }),
    issued,
    credentials,
    metrics,
    log,
    mfa: { secretsDir, store: totp, clock },
    issuer: settings.ISSUER,
    clock,
    refreshRegistry,
    refreshKeys: () => keys.refresh(),
    missing: () => [
      ...(isWritable(database, clock()) ? [] : ["state-database"]),
      ...tasks.filter((task) => task.failing()).map(({ name }) => name),
    ],
    close: async () => {
      await Promise.all(tasks.map((task) => task.stop()));
      for (const one of [memory, database]) if (one.isOpen) one.close();
    },
  };
}
