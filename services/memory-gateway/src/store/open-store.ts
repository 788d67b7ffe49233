import { ConfigError } from "@soma/kit/config";
import type { StoreConfig } from "../config.ts";
import type { MemoryStore } from "./memory-store.ts";
import { PostgresStore } from "./postgres-store.ts";
import { SqliteStore } from "./sqlite-store.ts";

/** Vectors of two models cannot be compared, so a database is of one. @throws ConfigError, DomainError MEMORY_UNAVAILABLE */
export async function openStore(config: StoreConfig, model: string): Promise<MemoryStore> {
  const store = config.store === "sqlite" ? new SqliteStore(config.file) : await PostgresStore.open(config.url);
  const known = await store.requireSetting("embedding_model", model);
  if (known === model) return store;
  await store.close();
  throw new ConfigError(
    `EMBEDDING_MODEL is ${JSON.stringify(model)}; accepted: ${JSON.stringify(known)}, which the vectors in this database were made by`,
  );
}
