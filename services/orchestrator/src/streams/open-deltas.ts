import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerConfig } from "../config.ts";
import type { ContentKeys } from "../contents/content-keys.ts";
import { ContentVault } from "../contents/content-vault.ts";
import { sqliteFailureOf } from "../ledger/sqlite-failure.ts";
import { DeltaHub } from "./delta-hub.ts";
import type { DeltaStore } from "./delta-store.ts";
import { openPostgresDeltaStore } from "./postgres-delta-store.ts";
import { openSqliteDeltaStore } from "./sqlite-delta-store.ts";

/** The texts in the making: those of this process in memory, and those of all in the store. */
export interface Deltas {
  readonly hub: DeltaHub;
  readonly store: DeltaStore;
  readonly vault: ContentVault;
  /** Names this process in the store. */
  readonly writer: string;
}

const openWithinMs = 5_000;

/**
 * Opens the delta store beside the ledger, which was opened, and migrated, before.
 *
 * @throws Error when it cannot be used
 */
export async function openDeltas(config: LedgerConfig, keys: ContentKeys): Promise<Deltas> {
  const store =
    config.store === "postgres"
      ? openPostgresDeltaStore(config.url)
      : await openUnlocked(join(dirname(config.file), "deltas.sqlite"));
  return deltasIn(store, keys);
}

/** With a store that is open. */
export function deltasIn(store: DeltaStore, keys: ContentKeys): Deltas {
  return { hub: new DeltaHub(), store, vault: new ContentVault(keys), writer: randomUUID() };
}

/** Processes that start at the same time wait for the one that makes the file. */
async function openUnlocked(file: string): Promise<DeltaStore> {
  const giveUpAt = performance.now() + openWithinMs;
  for (;;) {
    try {
      return openSqliteDeltaStore(file);
    } catch (error) {
      if (sqliteFailureOf(error) !== "locked" || performance.now() > giveUpAt) throw error;
    }
    await sleep(2 + Math.random() * 8);
  }
}
