import { DependencyWatch } from "@soma/kit/dependency-watch";
import type { Logger } from "@soma/kit/logger";
import { IdentityClient } from "./access/identity-client.ts";
import type { MemoryConfig } from "./config.ts";
import { EmbeddingClient } from "./embeddings/embedding-client.ts";
import { loadMasterKeys } from "./keys/master-keys.ts";
import { SubjectKeys } from "./keys/subject-keys.ts";
import { Sweeper } from "./memories/sweeper.ts";
import { createMemoryMetrics, type MemoryMetrics } from "./memory-metrics.ts";
import type { MemoryStore } from "./store/memory-store.ts";
import { openStore } from "./store/open-store.ts";

type Needed = "database" | "identity-service" | "slm";

/** What the service stands on. */
export interface MemoryParts {
  readonly config: MemoryConfig;
  readonly log: Logger;
  readonly metrics: MemoryMetrics;
  readonly store: MemoryStore;
  readonly keys: SubjectKeys;
  readonly identity: IdentityClient;
  readonly embeddings: EmbeddingClient;
  readonly watch: DependencyWatch<Needed>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  close(): Promise<void>;
}

/** Opens the database and makes the clients; an upstream that is away is waited for, not failed on. @throws ConfigError */
export async function openMemoryGateway(
  config: MemoryConfig,
  log: Logger,
  now: () => number = Date.now,
): Promise<MemoryParts> {
  const metrics = createMemoryMetrics();
  const masters = loadMasterKeys(config.masterKeyFile);
  const store = await openStore(config.store, config.embeddings.model);
  const keys = new SubjectKeys(store, masters);
  const identity = new IdentityClient(config.identityUrl, config.credentialFile);
  const embeddings = new EmbeddingClient(config.embeddings.url, config.embeddings.model);
  const watch = new DependencyWatch<Needed>(
    [
      { name: "database", address: config.store.address, check: () => store.checkWritable() },
      {
        name: "identity-service",
        address: config.identityUrl.origin,
        check: (signal) => identity.checkHealth(signal),
      },
      { name: "slm", address: config.embeddings.url.origin, check: (signal) => embeddings.checkHealth(signal) },
    ],
    { log, up: metrics.dependencyUp },
  );
  const sweeper = new Sweeper({ store, log, metrics, now, everyMs: config.sweepMs });
  const close = async (): Promise<void> => {
    await Promise.all([watch.stop(), sweeper.stop()]);
    await Promise.all([identity.close(), embeddings.close()]);
    await store.close();
  };
  try {
    await keys.assertMasterKeys();
    await watch.start();
  } catch (error) {
    await close();
    throw error;
  }
  sweeper.start();
  return { config, log, metrics, store, keys, identity, embeddings, watch, now, close };
}
