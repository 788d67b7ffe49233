import { readFileSync } from "node:fs";
import { AppliedPrice, ModelPrice } from "@soma/contracts/budget";
import type { Digest } from "@soma/contracts/ids";
import { ConfigError } from "@soma/kit/config";
import { digestOf } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { parseDocument } from "yaml";

const closed = { additionalProperties: false } as const;

/** What `MODEL_PRICES_FILE` holds, as YAML or JSON. */
export const PriceTable = Type.Object(
  {
    version: Type.String({ minLength: 1, maxLength: 64, description: "For people; what counts is the digest" }),
    currency: AppliedPrice.properties.currency,
    models: Type.Record(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}$" }), ModelPrice, {
      ...closed,
      minProperties: 1,
      maxProperties: 1_000,
      description: "By the name that a session asks for; `default` is for sessions that name none",
    }),
  },
  closed,
);
export type PriceTable = Type.Static<typeof PriceTable>;

/** The prices of one start of the process; without a file there are none. */
export class Prices {
  readonly #table: PriceTable | undefined;
  readonly digest: Digest | undefined;

  constructor(table?: PriceTable) {
    this.#table = table;
    this.digest = table === undefined ? undefined : digestOf(table);
  }

  /** @param model as the session names it; undefined for the model service's default */
  find(model: string | undefined): AppliedPrice | undefined {
    const name = model ?? "default";
    if (this.#table === undefined || this.digest === undefined || !Object.hasOwn(this.#table.models, name)) return;
    const price = this.#table.models[name];
    return price && { prices_digest: this.digest, currency: this.#table.currency, ...price };
  }

  /** @throws DomainError PRICE_UNKNOWN, saying what to do */
  require(model: string | undefined): AppliedPrice {
    const price = this.find(model);
    if (price !== undefined) return price;
    const which = model === undefined ? "The session names no model and 'default'" : `The model ${model}`;
    const where =
      this.#table === undefined
        ? "MODEL_PRICES_FILE, which is not set"
        : `the price table ${this.#table.version} (MODEL_PRICES_FILE)`;
    throw new DomainError(
      "PRICE_UNKNOWN",
      `${which} has no price in ${where}, so no bound of money can hold it. Name a model that has a price, leave cost_micros out of the budget, or ask the operators to add the price.`,
    );
  }
}

/**
 * Reads the price table once, at the start.
 *
 * @throws ConfigError naming MODEL_PRICES_FILE and what is wrong with the file
 */
export function loadPrices(file: string | undefined): Prices {
  if (file === undefined) return new Prices();
  const value = parsed(file);
  if (Value.Check(PriceTable, value)) return new Prices(value);
  const [issue] = Value.Errors(PriceTable, value);
  throw refused(file, `${issue?.instancePath === "" ? "/" : (issue?.instancePath ?? "/")} ${issue?.message ?? ""}`);
}

function parsed(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw refused(file, "cannot be read");
  }
  // JSON is YAML 1.2. Two prices for one model are no price: the library reports the duplicate.
  const document = parseDocument(text, { version: "1.2" });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw refused(file, problem.message.split("\n")[0] ?? "");
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw refused(file, "has aliases; write the value again");
  }
}

function refused(file: string, what: string): ConfigError {
  return new ConfigError(
    `MODEL_PRICES_FILE is ${JSON.stringify(file)}: ${what}; accepted: YAML or JSON with version, currency and for each model input_micros_per_million and output_micros_per_million`,
  );
}
