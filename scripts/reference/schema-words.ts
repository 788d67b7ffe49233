import { errors } from "@soma/contracts/error-codes";
import { code } from "./markdown.ts";

/** A member of a JSON Schema object. */
export interface Field {
  readonly name: string;
  readonly schema: unknown;
  readonly required: boolean;
}

/** The members of an object schema, in the order in which they are written. */
export function fieldsOf(schema: unknown): Field[] {
  const properties = read(schema, "properties");
  const required = read(schema, "required");
  if (typeof properties !== "object" || properties === null) return [];
  return Object.entries(properties).map(([name, member]: [string, unknown]) => ({
    name,
    schema: member,
    required: Array.isArray(required) && required.includes(name),
  }));
}

/** What a value of this schema is, in words for a table's cell. */
export function describeType(schema: unknown): string {
  const constant = read(schema, "const");
  if (constant !== undefined) return code(JSON.stringify(constant));
  const options = read(schema, "enum");
  if (Array.isArray(options)) {
    const names = options.map(String);
    return isErrorCodes(names) ? "an [error code](error-codes.md)" : names.map((name) => code(name)).join(", ");
  }
  const variants = read(schema, "anyOf");
  if (Array.isArray(variants)) return variants.map((variant) => describeType(variant)).join(" or ");
  switch (read(schema, "type")) {
    case "array":
      return `list of ${describeType(read(schema, "items"))}`;
    case "object":
      return describeObject(schema);
    case "integer":
      return "whole number";
    case "number":
      return "number";
    case "boolean":
      return "true or false";
    case "string":
      return isDigest(schema) ? "digest" : "text";
    default:
      return "any";
  }
}

/** The description that a schema carries; empty when it has none, or when the type says it all. */
export function descriptionOf(schema: unknown): string {
  if (isDigest(schema)) return "";
  const description = read(schema, "description");
  return typeof description === "string" ? description : "";
}

/** The default that a schema carries, as it would be written in an environment. */
export function defaultOf(schema: unknown): string {
  const value = read(schema, "default");
  return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
}

function describeObject(schema: unknown): string {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return "object";
  const members = fields.map(({ name, schema: member, required }) => {
    const constant = read(member, "const");
    return `${name}${required ? "" : "?"}${constant === undefined ? "" : `: ${JSON.stringify(constant)}`}`;
  });
  return code(`{${members.join(", ")}}`);
}

function isDigest(schema: unknown): boolean {
  return String(read(schema, "pattern")).startsWith("^sha256:");
}

function isErrorCodes(names: readonly string[]): boolean {
  return names.length === Object.keys(errors).length && names.every((name) => Object.hasOwn(errors, name));
}

function read(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
