import { randomBytes } from "node:crypto";
import { parseMasterKeys, type MasterKeys } from "../../src/contents/master-keys.ts";

/** Master keys of a test's own, the current one first. */
export function newMasterKeys(count = 1): MasterKeys {
  const keys = Array.from({ length: count }, () => randomBytes(32).toString("base64"));
  return parseMasterKeys("CONTENT_MASTER_KEY", keys.join(","));
}

/** The same in every process of a test that opens one ledger several times. */
export const masterKeys = parseMasterKeys("CONTENT_MASTER_KEY", Buffer.alloc(32, "for tests alone").toString("base64"));
