type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/**
 * Gives the schemas of an OpenAPI document their names back: wherever one of `named` stands written out, a reference
 * to it is put. Types made from the document are then one to a shape, instead of one to each place.
 */
export function nameSchemas(document: unknown, named: Readonly<Record<string, unknown>>): unknown {
  const names = new Map(Object.entries(named).map(([name, schema]) => [fingerprint(toJson(schema)), name]));
  const visit = (value: Json, isDefinition: boolean): Json => {
    if (isList(value)) return value.map((item) => visit(item, false));
    if (typeof value !== "object" || value === null) return value;
    const name = isDefinition ? undefined : names.get(fingerprint(value));
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, visit(member, false)]));
  };
  const root = visit(toJson(document), false);
  const schemas = Object.fromEntries(
    Object.entries(named).map(([name, schema]) => [name, visit(toJson(schema), true)]),
  );
  if (typeof root !== "object" || root === null || isList(root)) throw new TypeError("the document is not an object");
  const components = root["components"];
  const others = typeof components === "object" && components !== null && !isList(components) ? components : {};
  return { ...root, components: { ...others, schemas } };
}

/**
 * A schema library keeps notes of its own beside the members that are JSON; they are left out. What the document's
 * writer says with other keywords – a constant, and members of any name – is said with its ones.
 */
function toJson(value: unknown): Json {
  const plain: Json = JSON.parse(JSON.stringify(value), (_key, member: unknown) => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    const { const: constant, patternProperties, ...rest } = Object.fromEntries(Object.entries(member));
    if (constant !== undefined) return { ...rest, enum: [constant] };
    if (typeof patternProperties !== "object" || patternProperties === null) return member;
    const [anyName] = Object.values(patternProperties);
    return { ...rest, additionalProperties: anyName };
  });
  return plain;
}

/** What two schemas have in common that are the same: what they say of a place is not part of it. */
function fingerprint(value: Json): string {
  if (isList(value)) return `[${value.map(fingerprint).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${fingerprint(member)}`);
  return `{${members.toSorted().join(",")}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
