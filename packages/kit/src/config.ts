import type { Static, TObject, TSchema } from "typebox";
import { Value } from "typebox/value";

/** A setting that stops the start; `message` is one line that names the variable and what is accepted. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a service's settings once, through a schema whose properties are the variables. An empty variable counts as
 * unset. Mark secrets with `writeOnly: true`: their values are never shown.
 *
 * @example readConfig(Type.Object({ PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 10001 }) }), process.env)
 * @throws ConfigError naming the variable, what was found (never a secret) and what is accepted.
 */
export function readConfig<Schema extends TObject>(schema: Schema, environment: Environment): Static<Schema> {
  const settings: Record<string, unknown> = {};
  for (const [name, property] of Object.entries<TSchema>(schema.properties)) {
    const raw = environment[name];
    const value = raw === undefined || raw === "" ? defaultOf(property) : coerce(property, raw);
    if (value === undefined) {
      if (schema.required?.includes(name)) throw new ConfigError(`${name} is not set; accepted: ${accepted(property)}`);
      continue;
    }
    if (!Value.Check(property, value)) {
      throw new ConfigError(`${name} is ${found(property, raw)}; accepted: ${accepted(property)}`);
    }
    settings[name] = value;
  }
  return Value.Parse(schema, settings);
}

/** What was found, on one line. A URL's credentials are a secret in whichever variable they stand. */
function found(property: TSchema, raw: string | undefined): string {
  if (attribute(property, "writeOnly") === true) return "<hidden>";
  return JSON.stringify(raw?.replace(/\/\/.*@/s, "//<hidden>@"));
}

function attribute(schema: TSchema, name: string): unknown {
  return Object.entries(schema).find(([key]) => key === name)?.[1];
}

function defaultOf(schema: TSchema): unknown {
  return attribute(schema, "default");
}

/** Turns the text of a variable into the type that the schema asks for; what does not fit stays text and fails the check. */
function coerce(schema: TSchema, raw: string): unknown {
  const type = attribute(schema, "type");
  if (type === "integer" && /^-?\d{1,15}$/.test(raw)) return Number(raw);
  if (type === "boolean" && (raw === "true" || raw === "false")) return raw === "true";
  return raw;
}

/** What a setting accepts, in words; also used by the generated configuration reference. */
export function accepted(schema: TSchema): string {
  const words = attribute(schema, "accepted");
  if (typeof words === "string") return words;
  const options = attribute(schema, "enum");
  if (Array.isArray(options)) return options.join(", ");
  switch (attribute(schema, "type")) {
    case "integer":
      return `a whole number from ${bound(schema, "minimum")} to ${bound(schema, "maximum")}`;
    case "boolean":
      return "true or false";
    default:
      return (
        "text" + (attribute(schema, "pattern") === undefined ? "" : ` matching ${String(attribute(schema, "pattern"))}`)
      );
  }
}

function bound(schema: TSchema, name: "minimum" | "maximum"): string {
  const value = attribute(schema, name);
  return typeof value === "number" ? value.toString() : "any";
}
