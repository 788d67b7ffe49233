import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { loadPack } from "../src/packs/load-pack.ts";
import { operatorsComplete, packText } from "./engine.ts";

const rule = (fields: string): string => `
  - id: r1
    actions: [model.complete]
    effect: deny
    score: 0.5
    severity: high
    reason: because
${fields}
`;
const load = (text: string | Uint8Array, path = "t1.yaml") =>
  loadPack(path, typeof text === "string" ? Buffer.from(text) : text, "load-pack.test");

test("a good pack is taken, and its version is the digest of its bytes", () => {
  const loaded = load(packText());
  assert.ok(loaded.ok);
  assert.match(loaded.value.policyVersion, /^sha256:[0-9a-f]{64}$/);
  const other = load(`${packText()}# one more comment\n`);
  assert.ok(other.ok);
  assert.notEqual(other.value.policyVersion, loaded.value.policyVersion);
});

const bad: readonly [title: string, text: string, line: number, reason: RegExp][] = [
  ["broken YAML", "version: 1\ntenant: [t1\n", 3, /Flow sequence|must end with/],
  ["a key twice", packText({ name: "a\nname: b" }), 4, /unique/],
  ["an alias", packText({ name: "&a x", threshold: "*a" }), 9, /^aliases are not/],
  ["an unknown tag", packText({ name: "!secret x" }), 3, /[Uu]nresolved tag/],
  ["a second document", `${packText()}---\nversion: 1\n`, 14, /document/i],
  ["an unknown field", packText({ tail: "allow_all: true\n" }), 10, /^allow_all: is not a known field/],
  ["a missing field", packText().replace("threshold: 0.8\n", ""), 1, /^threshold: is required/],
  ["another version", packText().replace("version: 1", "version: 2"), 1, /^version: must be 1/],
  ["a tenant that is not the file's", packText({ tenant: "t2" }), 2, /must be named t2\.yaml/],
  ["no policy", packText({ policies: "    {}\n" }), 5, /^authorization\.policies: /],
  ["a policy id that is none", packText({ policies: `    "A b": x\n` }), 6, /A b: is not/],
  ["a threshold of zero", packText({ threshold: "0" }), 9, /^threshold: must be > 0/],
  ["no example", packText({ examples: "[]\n" }), 10, /^examples: must not have fewer/],
  [
    "an unknown action",
    packText({ rules: rule("    terms: [x]").replace("model.complete", "model.sing") }),
    10,
    /^rules\.0\.actions\.0: must be one of session\.start/,
  ],
  [
    "a severity that is none",
    packText({ rules: rule("    terms: [x]").replace("severity: high", "severity: none") }),
    13,
    /^rules\.0\.severity: must be one of low/,
  ],
  ["a rule that tests nothing", packText({ rules: rule("") }), 9, /^rule r1: needs terms, near or pattern/],
  [
    "a rule id twice",
    packText({ rules: rule("    terms: [x]").trimEnd() + rule("    terms: [y]") }),
    16,
    /^rule r1: the id is used twice/,
  ],
  [
    "a pattern that can explode",
    packText({ rules: rule("    pattern: (a+)+b") }),
    15,
    /^rule r1: pattern '\+' has no upper bound/,
  ],
  [
    "an obligation that asks for nothing",
    packText({ tail: "obligations:\n  - actions: [model.complete]\n" }),
    11,
    /needs max_output_tokens, require_approval, out_of_budget or memory_unavailable/,
  ],
  [
    "a policy that does not parse",
    packText({
      policies: `${operatorsComplete}    p2: |\n      permit (principal, action, resource)\n      whenn { true };\n`,
    }),
    10,
    /^policy p2: .*invalid policy condition: whenn/,
  ],
  [
    "two policies under one id",
    packText({
      policies: "    p2: |\n      permit (principal, action, resource);\n      permit (principal, action, resource);\n",
    }),
    8,
    /^policy p2: /,
  ],
  [
    "a template",
    packText({ policies: "    p2: permit (principal == ?principal, action, resource);\n" }),
    6,
    /^policy p2: .*template/,
  ],
  [
    "an attribute that the schema does not have",
    packText({
      policies: `    p2: |\n      forbid (principal, action, resource)\n      when { principal.clearance == 3 };\n`,
    }),
    8,
    /^policy p2: .*attribute `clearance`.*not found/,
  ],
  [
    "a role that is none",
    packText({ policies: `    p2: |\n      permit (principal in Role::"operater", action, resource);\n` }),
    7,
    /^policy p2: .*operater/,
  ],
  [
    "a forbid that can never apply",
    packText({ policies: `    p2: forbid (principal is Group, action, resource);\n` }),
    6,
    /^policy p2: /,
  ],
  [
    "an example that comes out otherwise",
    packText({
      examples:
        "\n  - name: wrong\n    request: { user: u, role: viewer, prompt: hello }\n    expect: { allowed: true }\n",
    }),
    11,
    /^example 'wrong': expected allowed true, found false \(authorization: no policy permits/,
  ],
];
for (const [title, text, line, reason] of bad) {
  test(`${title} is refused with its line and reason`, () => {
    const loaded = load(text);
    assert.ok(!loaded.ok, "was accepted");
    const found = loaded.problems.find((problem) => reason.test(problem.reason));
    assert.ok(found, JSON.stringify(loaded.problems));
    assert.equal(found.line, line, JSON.stringify(loaded.problems));
  });
}

test("bytes that are not UTF-8, and a file that is too large, are refused", () => {
  const latin = load(Buffer.from([0x76, 0xe9]));
  assert.ok(!latin.ok);
  assert.match(latin.problems[0]?.reason ?? "", /not UTF-8/);
  const huge = load(`${packText()}#${"x".repeat(262_144)}`);
  assert.ok(!huge.ok);
  assert.match(huge.problems[0]?.reason ?? "", /larger than 262144 bytes/);
});

test("patterns that are acceptable one by one and too dear together are refused", () => {
  const rules = [1, 2, 3].map((n) =>
    rule("    pattern: (?:a|a|a){1,5}b")
      .replace("r1", `r${String(n)}`)
      .trimEnd(),
  );
  const loaded = load(packText({ rules: `${rules.join("")}\n` }));
  assert.ok(!loaded.ok);
  assert.match(loaded.problems[0]?.reason ?? "", /^rules: the patterns can take 2178 steps together/);
});

const differing: readonly [expect: string, reason: RegExp][] = [
  ["allowed: true, severity: low", /expected severity "low", found "none"/],
  ["allowed: true, rules: [r9]", /expected rules \["r9"\], found \[\]/],
  ["allowed: true, policies: []", /expected policies \[\], found \["operators-complete"\]/],
  ["allowed: true, reasons: [moonshine]", /expected a reason with 'moonshine', found none/],
  ["allowed: true, max_output_tokens: 9", /expected max_output_tokens 9, found 7/],
  ["allowed: true, require_approval: admin", /expected require_approval admin, found none/],
];
for (const [expect, reason] of differing) {
  test(`an example that expects { ${expect} } is compared`, () => {
    const loaded = load(
      packText({
        tail: "obligations:\n  - { actions: [model.complete], max_output_tokens: 7 }\n",
        examples: `\n  - name: n\n    request: { user: u, role: operator, prompt: hello }\n    expect: { ${expect} }\n`,
      }),
    );
    assert.ok(!loaded.ok);
    assert.match(loaded.problems[0]?.reason ?? "", reason);
  });
}

test("the packs that we ship are good", () => {
  const directory = new URL("../../../infra/policy/", import.meta.url);
  const files = readdirSync(directory).filter((name) => name.endsWith(".yaml"));
  assert.deepEqual(files.toSorted(), ["_standard.yaml", "platform.yaml", "tenant-acme.yaml", "tenant-demo.yaml"]);
  for (const file of files) assert.deepEqual(load(readFileSync(new URL(file, directory)), file).ok, true, file);
});
