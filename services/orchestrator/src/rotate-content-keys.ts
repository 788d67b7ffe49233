import { parseArgs } from "node:util";
import { ConfigError } from "@soma/kit/config";
import { readOrchestratorConfig } from "./config.ts";
import { loadMasterKeys } from "./contents/master-keys.ts";
import { openLedger } from "./ledger/open-ledger.ts";

/**
 * Wraps every content key by the first of the configured master keys, so that the others are needed no more. With
 * `--new-keys` each data subject gets a new content key besides; running processes use it within five minutes.
 */
try {
  const { values } = parseArgs({ options: { "new-keys": { type: "boolean", default: false } } });
  const config = readOrchestratorConfig();
  const masterKeys = loadMasterKeys(config.masterKeys);
  const ledger = await openLedger(config.ledger, masterKeys);
  const { rewrapped, renewed } = await ledger.contentKeys.rotate({ renew: values["new-keys"] });
  await ledger.close();
  process.stdout.write(
    `${String(rewrapped)} content keys were wrapped anew and ${String(renewed)} made; the master key ${masterKeys.current.id} opens them all\n`,
  );
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 78;
}
