import { join } from "node:path";
import type { DeltaStore } from "../../src/streams/delta-store.ts";
import { openSqliteDeltaStore } from "../../src/streams/sqlite-delta-store.ts";
import { temporaryFolder } from "../ledger/sqlite-store.ts";
import { describeDeltaStore } from "./delta-store-suite.ts";

describeDeltaStore("running texts in SQLite", async () => {
  const folder = await temporaryFolder();
  const opened: DeltaStore[] = [];
  const reopen = async (): Promise<DeltaStore> => {
    const store = openSqliteDeltaStore(join(folder.path, "deltas.sqlite"));
    opened.push(store);
    return store;
  };
  return {
    store: await reopen(),
    reopen,
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store.close();
      await folder[Symbol.asyncDispose]();
    },
  };
});
