import { DomainError } from "@soma/kit/domain-error";
import type { LedgerConfig } from "../config.ts";
import type { MasterKeys } from "../contents/master-keys.ts";
import type { Ledger } from "./ledger.ts";
import { openPostgresLedger } from "./postgres-ledger.ts";
import { openSqliteLedger } from "./sqlite-ledger.ts";

/**
 * Opens the ledger where the settings say it is.
 *
 * @throws Error naming the address and the reason, for whoever starts the service
 */
export async function openLedger(config: LedgerConfig, masterKeys: MasterKeys): Promise<Ledger> {
  try {
    return await (config.store === "postgres"
      ? openPostgresLedger({ url: config.url, masterKeys })
      : openSqliteLedger({ file: config.file, masterKeys }));
  } catch (error) {
    // What a caller of the API is not told is what the operator needs.
    const reason = error instanceof DomainError && error.cause instanceof Error ? error.cause.message : undefined;
    if (reason === undefined) throw error;
    throw new Error(`the ledger at ${config.address} cannot be opened: ${reason}`, { cause: error });
  }
}
