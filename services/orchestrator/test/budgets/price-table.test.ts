import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigError } from "@soma/kit/config";
import { DomainError } from "@soma/kit/domain-error";
import { loadPrices, Prices } from "../../src/budgets/price-table.ts";

const folder = mkdtempSync(join(tmpdir(), "soma-prices-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(folder, "prices.yaml");
  writeFileSync(path, text);
  return path;
}

const table = {
  version: "2026-11",
  currency: "EUR",
  models: { small: { input_micros_per_million: 150_000, output_micros_per_million: 600_000 } },
};

test("YAML and JSON of the same table have the same digest; another price has another", () => {
  const json = loadPrices(file(JSON.stringify(table)));
  const yaml = loadPrices(
    file(`# ours
models:
  small: { output_micros_per_million: 600000, input_micros_per_million: 150000 }
currency: EUR
version: "2026-11"
`),
  );
  assert.equal(yaml.digest, json.digest);
  assert.match(String(json.digest), /^sha256:[0-9a-f]{64}$/);
  const { small } = table.models;
  assert.deepEqual(json.find("small"), { prices_digest: json.digest, currency: "EUR", ...small });
  const dearer = loadPrices(file(JSON.stringify(table).replace("600000", "600001")));
  assert.notEqual(dearer.digest, json.digest);
});

test("a model without a price has none, not even by a name that every object has; a session without a model is 'default'", () => {
  const prices = new Prices(table);
  for (const model of ["large", "constructor", "__proto__", "toString", undefined]) {
    assert.equal(prices.find(model), undefined);
    assert.throws(
      () => prices.require(model),
      (error) =>
        error instanceof DomainError &&
        error.code === "PRICE_UNKNOWN" &&
        error.message.includes("MODEL_PRICES_FILE") &&
        error.message.includes(model ?? "default"),
    );
  }
  const withDefault = new Prices({ ...table, models: { default: table.models.small } });
  assert.equal(withDefault.require(undefined).input_micros_per_million, 150_000);
});

test("without a file there are no prices, and the refusal says so", () => {
  const none = loadPrices(undefined);
  assert.deepEqual([none.digest, none.find("small")], [undefined, undefined]);
  assert.throws(() => none.require("small"), /MODEL_PRICES_FILE, which is not set/);
});

for (const [what, text] of [
  ["is no YAML", "{"],
  ["is empty", ""],
  ["lacks the currency", JSON.stringify({ ...table, currency: undefined })],
  ["has a currency that is none", JSON.stringify({ ...table, currency: "euro" })],
  ["has a price with a fraction", JSON.stringify(table).replace("150000", "0.15")],
  ["has a price below zero", JSON.stringify(table).replace("150000", "-1")],
  ["has a price of text", JSON.stringify(table).replace("150000", '"150000"')],
  ["lacks a price", JSON.stringify(table).replace('"input_micros_per_million":150000,', "")],
  ["has a member that nobody knows", JSON.stringify({ ...table, cached: 1 })],
  ["has no models", JSON.stringify({ ...table, models: {} })],
  ["prices a model twice", `version: a\ncurrency: EUR\nmodels:\n  m: {}\n  m: {}\n`],
  [
    "has an alias",
    `version: a\ncurrency: EUR\nmodels: { m: &p { input_micros_per_million: 1, output_micros_per_million: 1 }, n: *p }\n`,
  ],
] as const) {
  test(`a file that ${what} stops the start and is named`, () => {
    const path = file(text);
    assert.throws(
      () => loadPrices(path),
      (error) =>
        error instanceof ConfigError && error.message.includes("MODEL_PRICES_FILE") && error.message.includes(path),
    );
  });
}

test("a file that is not there stops the start", () => {
  assert.throws(() => loadPrices(join(folder, "nothing.yaml")), ConfigError);
});

test("the example of the documents is a price table", () => {
  const example = fileURLToPath(new URL("../../../../docs/user-manual/model-prices.example.yaml", import.meta.url));
  assert.ok(readFileSync(example, "utf8").includes("not anybody's prices"));
  assert.ok(loadPrices(example).find("default"));
});
