import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventData } from "@soma/contracts/audit";
import { tenantEventData } from "@soma/contracts/tenant-events";
import { canonicalJson, digestOf, digestOfParts, sha256 } from "@soma/kit/digest";
import type { Loose } from "./damaged-ledgers.ts";
import { python, pythonVerifier } from "./python-verifier.ts";

const verifier = fileURLToPath(new URL("../../../../scripts/soma-verify.ts", import.meta.url));
const document = readFileSync(new URL("../../../../docs/reference/ledger-format.md", import.meta.url), "utf8");

const blocks = [...document.matchAll(/^```(json|text)\n([^]*?)\n```$/gm)].map(([, kind, text = ""]) => ({
  kind,
  text,
}));
const [example = ""] = blocks.filter(({ kind }) => kind === "json").map(({ text }) => text);
const [canonical = "", id = "", effect = "", action = ""] = blocks
  .filter(({ kind }) => kind === "text")
  .map(({ text }) => text);

test("the document has an example that both verifiers find whole, on the command line as its reader runs them", () => {
  const head = /--head (sha256:[0-9a-f]{64})/.exec(document)?.[1] ?? "";
  for (const [command, program] of [
    [process.execPath, verifier],
    [python, pythonVerifier],
  ] as const) {
    const run = (input: string, ...args: string[]) =>
      spawnSync(command, [program, ...args, "-"], { input, encoding: "utf8", timeout: 20_000 });
    const whole = run(example, "--head", head, "--json");
    assert.equal(whole.status, 0, whole.stdout + whole.stderr);
    const { counts }: { counts: unknown } = JSON.parse(whole.stdout);
    assert.deepEqual(counts, { events: 6, decisions: 1, effects: 1, contents: 3 });
    assert.match(run(example).stdout, /Everything holds\./);
    const damaged = run(example.replace("Weak", "Meek"));
    assert.equal(damaged.status, 1);
    assert.match(damaged.stdout, /VIOLATED +content/);
    assert.equal(run(example.slice(1)).status, 2);
  }
});

test("the document shows digests that come from what it says they come from", () => {
  const { events }: { events: Loose[] } = JSON.parse(example);
  const [created, decided] = events;
  assert.ok(created && decided);
  assert.equal(canonical, canonicalJson({ ...created, hash: undefined }));
  assert.equal(sha256(canonical), created["hash"]);
  assert.ok(document.includes(`The digest of these bytes is \`${sha256(canonical)}\``));
  assert.equal(`evt_${sha256(id).slice(7)}`, created["id"]);
  assert.equal(sha256(effect), decided.data["effect_key"]);
  assert.equal(sha256(effect), digestOfParts("tenant-demo", "sess-example", "completion-1"));
  assert.equal(sha256(action), decided.data["action_digest"]);
  assert.equal(sha256(action), digestOf(JSON.parse(action)));
});

test("the document lists the members of each type of event, and no type that there is not", () => {
  const rows = [...document.matchAll(/^\| `((?:[a-z_]+)\.[a-z_]+)` +\| (.+?) *\|$/gm)];
  const listed = new Map(rows.map(([, type = "", members = ""]) => [type, namesOf(members)]));
  const expected = Object.entries({ ...eventData, ...tenantEventData }).map(([type, schema]) => {
    const required: readonly string[] = schema.required ?? [];
    return [type, Object.keys(schema.properties).map((name) => (required.includes(name) ? name : `${name}?`))];
  });
  assert.deepEqual([...listed], expected);
});

/** Members of the first level: what stands in parentheses explains. */
function namesOf(cell: string): string[] {
  const outside = cell.replaceAll(/\([^()]*(?:\([^()]*\)[^()]*)*\)/g, "");
  return [...outside.matchAll(/`([a-z_]+)`(\??)/g)].map(([, name = "", optional = ""]) => name + optional);
}
