import { spawn, execFile, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, chownSync, constants, existsSync, globSync, mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import type { StoredRow } from "../../src/ledger/stored-row.ts";

/** A real PostgreSQL server of a test file's own. */
export interface PostgresServer extends AsyncDisposable {
  /** Address of a database for the role that the service would have, without a password. */
  readonly urlOf: (database: string) => string;
  /** Makes an empty database that the role owns. */
  createDatabase(): Promise<string>;
  /** Runs SQL as the superuser, whom no policy binds. */
  asSuperuser(database: string, sql: string): Promise<readonly StoredRow[]>;
  /** `pg_ctl stop -m immediate`: no checkpoint, connections cut. */
  stopImmediately(): Promise<void>;
  start(): Promise<void>;
}

const systemPrograms = findPrograms();

/** For `skip`: false, or why these tests cannot run here. */
export const postgresMissing: string | false =
  systemPrograms === undefined
    ? "PostgreSQL is not installed: no initdb and postgres on PATH or in the usual places"
    : false;

/**
 * Makes and starts a server on a free port, with its data in the folder for temporary files; stopped and gone at the end.
 * `programs` is the folder of `initdb` and `postgres`, the system's unless given.
 */
export async function startPostgresServer(programs: string | undefined = systemPrograms): Promise<PostgresServer> {
  if (programs === undefined) throw new Error(String(postgresMissing));
  const user = unprivilegedUser();
  const folder = mkdtempSync(join(tmpdir(), "soma-postgres-"));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder, env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8" } };
  await promisify(execFile)(
    join(programs, "initdb"),
    ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", `--pgdata=${data}`],
    options,
  );
  const port = await freePort();
  const urlOf = (role: string, database: string): string => `postgres://${role}@127.0.0.1:${port}/${database}`;
  const asSuperuser = async (database: string, sql: string): Promise<readonly StoredRow[]> => {
    const client = new Client({ connectionString: urlOf("postgres", database), options: "-c search_path=soma" });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query<StoredRow>(sql)).rows;
    } finally {
      await client.end();
    }
  };

  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=120"];
    const child = spawn(
      join(programs, "postgres"),
      ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])],
      { ...options, stdio: ["ignore", "ignore", "pipe"] },
    );
    server = child;
    let log = "";
    child.stderr.on("data", (bytes: Buffer) => (log = (log + bytes.toString()).slice(-4000)));
    for (let tries = 0; ; tries += 1) {
      try {
        await asSuperuser("postgres", "SELECT 1");
        return;
      } catch (error) {
        if (child.exitCode !== null || tries > 300)
          throw new Error(`PostgreSQL did not start:\n${log}`, { cause: error });
        await setTimeout(50);
      }
    }
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  };
  // A test that ends the process must not leave the server behind.
  process.once("exit", () => server?.kill("SIGQUIT"));
  await start();
  await asSuperuser("postgres", "CREATE ROLE soma LOGIN NOSUPERUSER");
  let count = 0;
  return {
    urlOf: (database) => urlOf("soma", database),
    async createDatabase() {
      const name = `ledger_${(count += 1)}`;
      await asSuperuser("postgres", `CREATE DATABASE ${name} OWNER soma`);
      return name;
    },
    asSuperuser,
    start,
    stopImmediately: () => stop("SIGQUIT"),
    async [Symbol.asyncDispose]() {
      await stop("SIGINT");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The folder of `initdb` and `postgres`. */
function findPrograms(): string | undefined {
  const onPath = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const usual = globSync([
    "/usr/lib/postgresql/*/bin/initdb",
    "/usr/pgsql-*/bin/initdb",
    "/opt/homebrew/opt/postgresql*/bin/initdb",
  ])
    .toSorted()
    .toReversed()
    .map((path) => dirname(path));
  return [...onPath, ...usual, "/usr/local/pgsql/bin"].find(
    (folder) => isProgram(join(folder, "initdb")) && isProgram(join(folder, "postgres")),
  );
}

function isProgram(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** PostgreSQL refuses to run as root: then as `postgres`, or as `nobody` where that user is not there. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const [, , uid, gid] = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody") ?? [];
  if (uid === undefined || gid === undefined) throw new Error("no user but root to run PostgreSQL as");
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
