import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { AuditEvent } from "@soma/contracts/audit";
import { SessionView, StartSessionAccepted } from "@soma/contracts/session";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { deniedPrompt, startApiStack } from "../../../tests/harness/api-stack.ts";
import { openShell, type Outcome } from "./run-soma.ts";
import { runShell } from "./shells.ts";

const api = await startApiStack({ after }, "cli");
const token = await api.token();
/** Somebody who is logged in by the environment. */
const soma = openShell({ after }, { SOMA_URL: api.url, SOMA_TOKEN: token });
/** Somebody who has only the address. */
const nobody = openShell({ after }, { SOMA_URL: api.url });

const started = await soma.run(["session", "start", deniedPrompt, "--label", "cli-test"]);
const id = started.stdout.trim();

const Who = Type.Object({ credential: Type.Object({ user: Type.String() }) });

function assertExit({ code, stderr }: Outcome, expected: number, words: RegExp): void {
  assert.equal(code, expected, stderr);
  assert.match(stderr, words);
}

test("start prints the session's id and nothing else", () => {
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stdout, /^[0-9a-f-]{36}\n$/);
  assert.equal(started.stderr, "");
});

test("start with --json answers as the contract says; the prompt may come from standard input; an id and a key hold", async () => {
  const args = [
    "session",
    "start",
    "--stdin",
    "--id",
    `cli-${String(process.pid)}`,
    "--idempotency-key",
    `k${String(process.pid)}`,
  ];
  const first = await soma.json(args, { input: deniedPrompt });
  assert.ok(Value.Check(StartSessionAccepted, first), JSON.stringify(first));
  assert.deepEqual(await soma.json(args, { input: deniedPrompt }), first);
  assertExit(await soma.run(args, { input: "another" }), 2, /IDEMPOTENCY_KEY_REUSED \(422\)/);
});

test("watch follows to the end, says why on standard error, and exits with 7 for what did not complete", async () => {
  const watched = await soma.run(["session", "watch", id]);
  assert.equal(watched.code, 7);
  assert.equal(watched.stdout, "");
  assert.deepEqual(
    watched.stderr.split("\n").map((line) => line.trim().split(":")[0]),
    ["1  session.created", "2  policy.decided", "3  session.denied", "denied", ""],
  );
  const lines = (await soma.run(["session", "watch", id, "--after", "1", "--json"])).stdout.trim().split("\n");
  const parsed = lines.map((line): { kind: string; event?: unknown; session?: unknown } => JSON.parse(line));
  assert.deepEqual(
    parsed.map(({ kind }) => kind),
    ["event", "event", "session"],
  );
  assert.ok(parsed.slice(0, 2).every(({ event }) => Value.Check(AuditEvent, event)));
  assert.ok(Value.Check(SessionView, parsed[2]?.session));
});

test("get shows a session to people and to programs", async () => {
  const shown = await soma.run(["session", "get", `session-${id}`]);
  assert.match(shown.stdout, new RegExp(`^session +${id}\nstatus +denied\nuser +user-demo of tenant-demo\n`));
  assert.ok(Value.Check(SessionView, await soma.json(["session", "get", id])));
});

test("list finds by label, in a table or as JSON", async () => {
  const table = (await soma.run(["session", "list", "--label", "cli-test"])).stdout.split("\n");
  assert.match(table[0] ?? "", /^SESSION +STATUS +USER +CREATED +LABELS$/);
  assert.match(table[1] ?? "", new RegExp(`^${id} +denied +user-demo +\\d{4}-\\S+Z +cli-test$`));
  assert.equal(table.length, 3);
  const listed = await soma.json(["session", "list", "--label", "cli-test", "--limit", "1"]);
  assert.ok(Value.Check(Type.Object({ sessions: Type.Array(SessionView, { minItems: 1, maxItems: 1 }) }), listed));
  assert.equal((await soma.run(["session", "list", "--label", "no-such-label"])).stdout, "No sessions.\n");
});

test("Ctrl-C while watching leaves the session as it is, says how to go on, and cancel ends it", async () => {
  let waiting = "";
  const watched = await soma.run(["session", "start", "Say yes.", "--watch"], {
    onSaid(said, interrupt) {
      waiting ||= /^session (\S+)/.exec(said)?.[1] ?? "";
      if (said.includes("dependency.unavailable")) interrupt();
    },
  });
  assert.equal(watched.code, 130, watched.stderr);
  assert.match(
    watched.stderr,
    new RegExp(`goes on without you\\.\n  follow it: soma session watch ${waiting} --after \\d+\n`),
  );
  assert.match((await soma.run(["session", "get", waiting])).stdout, /status +running, waits for slm/);
  const canceled = await soma.run(["session", "cancel", waiting]);
  assert.equal(canceled.code, 0, canceled.stderr);
  assert.match(canceled.stdout, new RegExp(`^${waiting} \\w+\n$`));
  assert.equal((await soma.run(["session", "watch", waiting])).code, 7);
});

test("audit shows the events, and exports them one a line", async () => {
  const table = (await soma.run(["audit", "show", id])).stdout.split("\n");
  assert.match(table[2] ?? "", /^2  +\d{4}-\S+Z  +user-demo  +policy\.decided: denied, model\.complete/);
  const shown = await soma.json(["audit", "show", id, "--after", "1"]);
  assert.ok(Value.Check(Type.Object({ events: Type.Array(AuditEvent, { minItems: 2, maxItems: 2 }) }), shown));
  const exported = (await soma.run(["audit", "export", id])).stdout.trim().split("\n");
  assert.ok(exported.length === 3 && exported.every((line) => Value.Check(AuditEvent, JSON.parse(line))));
});

test("audit verify finds a ledger whole, a changed one broken, and a tail that is missing", async () => {
  const verified = await soma.run(["audit", "verify", id]);
  assert.equal(verified.code, 0, verified.stderr);
  assert.match(verified.stdout, /Everything holds\.\n$/);
  const file = join(soma.home, "export.ndjson");
  const written = await soma.json(["audit", "export", id, "--out", file]);
  assert.deepEqual(written, { file, events: 3 });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assertExit(await soma.run(["audit", "export", id, "--out", file]), 1, /EEXIST/);
  const whole = readFileSync(file, "utf8");
  const { hash: head }: { hash: string } = JSON.parse(whole.trim().split("\n").at(-1) ?? "");
  assert.equal((await soma.run(["audit", "verify", "--file", file, "--head", head])).code, 0);
  writeFileSync(file, whole.split("\n").slice(0, 2).join("\n"));
  assert.equal((await soma.run(["audit", "verify", "--file", file])).code, 0, "a cut tail is whole by itself");
  assert.equal((await soma.run(["audit", "verify", "--file", file, "--head", head])).code, 6);
  writeFileSync(file, whole.replace('"denied"', '"allowed"').replace('"allowed":false', '"allowed":true'));
  const broken = await soma.run(["audit", "verify", "--file", file, "--json"]);
  assert.equal(broken.code, 6);
  assert.match(broken.stdout, /^ {2}"ok": false,$/m);
  assertExit(await soma.run(["audit", "verify", "--file", join(soma.home, "nothing")]), 1, /ENOENT/);
});

test("policy test says what the engine would say of a pack", async () => {
  const good = new URL("../../../infra/policy/tenant-demo.yaml", import.meta.url).pathname;
  assert.deepEqual(await soma.run(["policy", "test", good]), { code: 0, stdout: `${good}: ok\n`, stderr: "" });
  writeFileSync(join(soma.home, "bad.yaml"), "version: 1\nnonsense: true\n");
  const bad = await soma.run(["policy", "test", good, "bad.yaml", "--json"]);
  assert.equal(bad.code, 6, bad.stderr);
  const { packs }: { packs: { file: string; ok: boolean; problems: { line: number; reason: string }[] }[] } =
    JSON.parse(bad.stdout);
  assert.deepEqual(
    packs.map(({ file, ok, problems }) => [file, ok, problems.length > 0]),
    [
      [good, true, false],
      ["bad.yaml", false, true],
    ],
  );
});

test("exit codes tell what went wrong: use, not found, not allowed, not there", async () => {
  assertExit(await soma.run(["session", "start"]), 2, /Give the prompt/);
  assertExit(await soma.run(["session", "list", "--status", "odd"]), 2, /Allowed choices are starting/);
  assertExit(await soma.run(["nonsense"]), 2, /unknown command/);
  assertExit(
    await soma.run(["session", "get", "no-such-session"]),
    3,
    /SESSION_NOT_FOUND \(404\)\n  request id: [0-9a-f-]{36}/,
  );
  assertExit(await nobody.run(["session", "get", id]), 4, /UNAUTHENTICATED \(401\)\n.*\n  next: soma login/);
  const reader = await api.token("viewer-demo", ["session.read"]);
  assertExit(await nobody.run(["session", "start", "hello"], { env: { SOMA_TOKEN: reader } }), 4, /FORBIDDEN \(403\)/);
  assertExit(await soma.run(["session", "get", id, "--url", "http://127.0.0.1:9"]), 5, /CONNECTION_FAILED/);
  assertExit(
    await soma.run(["session", "get", id, "--url", "http://user:password@host"]),
    2,
    /without user or password/,
  );
  const stranger = await api.token("user-acme");
  const foreign = await nobody.run(["session", "get", id], { env: { SOMA_TOKEN: stranger } });
  assertExit(foreign, 3, /SESSION_NOT_FOUND/);
});

test("login keeps a token that the service takes, for this user's eyes only; logout removes it", async () => {
  assertExit(await nobody.run(["login", "--token"], { input: "x.y.z" }), 2, /neither an API key nor an access token/);
  const forged = `${token.slice(0, -6)}${token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA"}`;
  assertExit(await nobody.run(["login", "--token"], { input: forged }), 4, /UNAUTHENTICATED/);
  const login = await nobody.run(["login", "--token"], { input: `${token}\n` });
  assert.equal(login.code, 0, login.stderr);
  assert.match(
    login.stderr,
    new RegExp(`^Logged in to ${api.url} as user-demo of tenant-demo, until \\S+ \\(profile default\\)`),
  );
  const file = join(nobody.home, ".config/soma/profiles.json");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((await nobody.run(["session", "get", id])).code, 0);
  assert.match((await nobody.run(["whoami"])).stdout, /^user +user-demo$[^]*^accepted +yes$/m);
  // A profile's credential goes to the profile's address alone.
  const elsewhere = api.url.replace("127.0.0.1", "localhost");
  assertExit(await nobody.run(["session", "get", id, "--url", elsewhere]), 4, /UNAUTHENTICATED/);
  chmodSync(file, 0o644);
  assertExit(await nobody.run(["session", "get", id]), 4, /open to other users.*\n  next: chmod 600/);
  chmodSync(file, 0o600);
  // A variable that is set to nothing is not set, here as in every other command.
  const unset = { env: { SOMA_PROFILE: "" } };
  assert.deepEqual(await nobody.json(["logout"], unset), { profile: "default", removed: true });
  assertExit(await nobody.run(["session", "get", id]), 4, /UNAUTHENTICATED/);
});

test("profiles are apart from each other", async () => {
  const other = await api.token("user-acme");
  await nobody.json(["login", "--token"], { input: token });
  await nobody.json(["login", "--token", "--profile", "acme"], { input: other });
  const userOf = async (...args: readonly string[]): Promise<unknown> => {
    const who = await nobody.json(["whoami", ...args]);
    return Value.Check(Who, who) ? who.credential.user : undefined;
  };
  assert.equal(await userOf(), "user-demo");
  assert.equal(await userOf("--profile", "acme"), "user-acme");
  await nobody.json(["logout", "--profile", "acme"]);
  await nobody.json(["logout"]);
});

test("login --dev takes a user of the local stack, says that it is for development, and needs no address", async () => {
  const developer = openShell({ after });
  const login = await developer.run([
    "login",
    "--dev",
    "--stack",
    api.name,
    "--user",
    "user-acme",
    "--tenant",
    "tenant-acme",
  ]);
  assert.equal(login.code, 0, login.stderr);
  assert.match(login.stderr, /^Development only: .*\nLogged in to \S+ as user-acme of tenant-acme/);
  assert.equal((await developer.run(["session", "list"])).code, 0);
  assertExit(
    await developer.run(["login", "--dev", "--stack", "no-such-stack"]),
    5,
    /No stack named no-such-stack runs/,
  );
});

test("a login that has ended says so before anything is asked", async () => {
  const short = await api.token("user-demo", ["session.read"], 1);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  assertExit(
    await nobody.run(["session", "get", id], { env: { SOMA_TOKEN: short } }),
    4,
    /The login ended at .*\n  next: soma login/,
  );
});

test("doctor says what is reachable, what is wrong and what to do next, and exits with it", async () => {
  const healthy = await soma.run(["doctor"]);
  assert.equal(healthy.code, 0, healthy.stdout);
  assert.match(healthy.stdout, /^ok +service +orchestrator 0\.1\.0 at /m);
  assert.match(healthy.stdout, /^ok +clock /m);
  // This stack has no model, and the service says so.
  assert.match(healthy.stdout, /^note +ready +Works, without slm at \S+: sessions that need it wait\.\n +next: /m);
  assert.match(healthy.stdout, /^ok +login +user-demo of tenant-demo \(SOMA_TOKEN\), until /m);
  assert.match(healthy.stdout, /^ok +rights +.*session\.start/m);
  const stranger = await nobody.run(["doctor"]);
  assert.equal(stranger.code, 4);
  assert.match(stranger.stdout, /^WRONG +login +There is none, and the service asks for one\.\n +next: soma login/m);
  const lost = await soma.run(["doctor", "--url", "http://127.0.0.1:9", "--json"]);
  assert.equal(lost.code, 5);
  const { ok, findings }: { ok: boolean; findings: { check: string; status: string; next?: string }[] } = JSON.parse(
    lost.stdout,
  );
  assert.equal(ok, false);
  assert.deepEqual(
    findings.map(({ check, status }) => [check, status]),
    [
      ["versions", "ok"],
      ["settings", "ok"],
      ["service", "wrong"],
    ],
  );
  const other = await soma.run(["doctor", "--url", api.stack.url("policy-engine")]);
  assert.match(other.stdout, /^ok +service +policy-engine/m);
});

test("no secret comes back: not from the command line, not from an error, not with --json", async () => {
  const key = `soma_0123456789abcdef_${"A".repeat(43)}`;
  const outcomes = [
    await nobody.run(["login", key]),
    await nobody.run(["login", "--api-key", key]),
    await nobody.run(["--api-key", key]),
    await nobody.run(["login", "--api-key"], { input: key }),
    await nobody.run(["whoami", "--json"], { env: { SOMA_API_KEY: key } }),
    await nobody.run(["doctor"], { env: { SOMA_API_KEY: key } }),
    await nobody.run(["session", "list"], { env: { SOMA_TOKEN: `${token}x` } }),
    await nobody.run(["session", "list"], { env: { SOMA_API_KEY: key, SOMA_TOKEN: token } }),
  ];
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    [2, 2, 2, 4, 4, 4, 4, 2],
  );
  for (const { stdout, stderr } of outcomes) {
    assert.ok(!`${stdout}${stderr}`.includes("A".repeat(43)), stdout + stderr);
    assert.ok(!`${stdout}${stderr}`.includes(token.slice(-40)), stdout + stderr);
  }
});

test("a reader that has seen enough ends an export without an error", () => {
  const result = runShell("bash", `set -o pipefail; soma audit export ${id} | head -c 1`, {
    SOMA_URL: api.url,
    SOMA_TOKEN: token,
  });
  assert.deepEqual([result.status, result.stdout, result.stderr], [0, "{", ""]);
});
