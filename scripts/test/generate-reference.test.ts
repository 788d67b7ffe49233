import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = join(root, "scripts/generate-reference.ts");
const documents = globSync(["*.md", "docs/**/*.md", "services/*/README.md"], { cwd: root });

function generate(...args: readonly string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: "utf8", timeout: 60_000 });
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

test("docs/reference says what the code says", () => {
  const { status, stderr } = generate("--check");
  assert.equal(stderr, "");
  assert.equal(status, 0);
});

test("a file that was changed by hand or is missing is named, and the check fails", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "soma-reference-test-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  assert.equal(generate("--out", folder).status, 0);
  appendFileSync(join(folder, "events.md"), "\n");
  rmSync(join(folder, "openapi/policy-engine.json"));
  const { status, stderr } = generate("--check", "--out", folder);
  assert.equal(status, 1);
  assert.deepEqual(stderr.split("\n").slice(0, 2), [
    `stale: ${join(folder, "events.md")}`,
    `stale: ${join(folder, "openapi/policy-engine.json")}`,
  ]);
});

test("every document opens with the house rule", () => {
  assert.ok(documents.length > 15, `only ${String(documents.length)} documents`);
  for (const path of documents) {
    const opening = read(path).slice(0, 500).replaceAll(/\s+/g, " ");
    assert.match(opening, /real only.*real servers?/is, path);
  }
});

test("every link between documents leads somewhere", () => {
  for (const path of documents) {
    for (const [, target = ""] of read(path).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g))
      assert.ok(existsSync(join(root, dirname(path), target)), `${path} links to ${target}`);
  }
});

test("every path in code that a document names is there", () => {
  const places = /`((?:packages|services|scripts|tests|infra|docs)\/[A-Za-z0-9_./-]+)`/g;
  const named = documents.flatMap((path) =>
    [...read(path).matchAll(places)].map(([, place = ""]): [string, string] => [path, place]),
  );
  assert.ok(named.length > 50, `only ${String(named.length)} paths`);
  for (const [path, place] of named)
    assert.ok(existsSync(join(root, place)) || place.includes("NNNN"), `${path} names ${place}`);
});

test("the list of dependencies has a line for each that a manifest asks for, and for no other", () => {
  const table = read("docs/decisions/0006-dependencies.md")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const listed = new Set(table.flatMap((line) => namesIn(line.split("|")[1] ?? "")));
  const asked = new Set([...askedByNode(), ...askedByPython(), ...askedByJava()]);
  assert.ok(asked.size > 30, `only ${String(asked.size)} dependencies`);
  assert.deepEqual([...listed].toSorted(), [...asked].toSorted());
});

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}

function askedByNode(): string[] {
  const manifests = globSync(
    ["package.json", "{packages,services,apps}/*/package.json", "{scripts/*,tests}/package.json"],
    {
      cwd: root,
    },
  );
  return manifests.flatMap((path) => {
    const manifest: Record<string, Record<string, string> | undefined> = JSON.parse(read(path));
    return ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
      Object.keys(manifest[kind] ?? {}),
    );
  });
}

function askedByPython(): string[] {
  const files = globSync(["services/slm/*.in", "scripts/setup/*.in"], { cwd: root });
  return files.flatMap((path) => [...read(path).matchAll(/^([A-Za-z0-9_.[\]-]+)==/gm)].map(([, name = ""]) => name));
}

function askedByJava(): string[] {
  const pom = read("scripts/setup/kafka/pom.xml");
  return [...pom.matchAll(/<dependency>.*?<artifactId>(.*?)<.*?<\/dependency>/gs)].map(([, name = ""]) => name);
}

test("README and AGENTS.md stay short", () => {
  assert.ok(read("README.md").split("\n").length <= 200);
  assert.ok(read("AGENTS.md").split("\n").length <= 151);
});
