type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/**
 * Gives the schemas of an OpenAPI document their names back: wherever one of `named` stands written out, a reference
 * to it is put, and the document holds it once. What is generated from it then has one type to a shape, instead of one
 * to each place. `also`: names that the document defines even when it does not use them.
 */
export function nameSchemas(
  document: object,
  named: Readonly<Record<string, unknown>>,
  also: readonly string[] = [],
): Record<string, Json> {
  const used = new Set(also);
  const shapes = new Shapes();
  const names = new Map(Object.entries(named).map(([name, schema]) => [shapes.idOf(toJson(schema)), name]));
  const visit = (value: Json, isDefinition: boolean): Json => {
    if (isList(value)) return value.map((item) => visit(item, false));
    if (typeof value !== "object" || value === null) return value;
    const name = isDefinition ? undefined : names.get(shapes.idOf(value));
    if (name !== undefined) {
      used.add(name);
      return { $ref: `#/components/schemas/${name}` };
    }
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, visit(member, false)]));
  };
  const root = visit(toJson(document), false);
  const definitions = new Map<string, Json>();
  const define = (name: string): void => {
    if (!definitions.has(name)) definitions.set(name, visit(toJson(named[name]), true));
  };
  // A definition may use others: a set tells of what is added while it is walked.
  for (const name of used) define(name);
  if (typeof root !== "object" || root === null || isList(root)) throw new TypeError("the document is not an object");
  const components = asObject(root["components"]);
  const schemas = { ...asObject(components["schemas"]), ...Object.fromEntries([...definitions].toSorted(byName)) };
  return { ...root, components: { ...components, schemas } };
}

function asObject(value: Json | undefined): Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !isList(value) ? value : {};
}

function byName([a]: readonly [string, Json], [b]: readonly [string, Json]): number {
  return a < b ? -1 : 1;
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

/**
 * Numbers for shapes: two values that say the same, whatever the order of their members, have the same one. Each value is
 * looked at once, however deep it lies: a document is made while a service serves.
 */
class Shapes {
  readonly #ids = new Map<string, number>();
  readonly #known = new WeakMap<object, number>();

  idOf(value: Json): number {
    if (typeof value !== "object" || value === null) return this.#numberOf(JSON.stringify(value));
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const id = this.#numberOf(isList(value) ? this.#list(value) : this.#members(value));
    this.#known.set(value, id);
    return id;
  }

  #list(items: readonly Json[]): string {
    return `[${items.map((item) => this.idOf(item)).join(",")}]`;
  }

  #members(value: { readonly [name: string]: Json }): string {
    const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${String(this.idOf(member))}`);
    return `{${members.toSorted().join(",")}}`;
  }

  #numberOf(text: string): number {
    const id = this.#ids.get(text) ?? this.#ids.size;
    this.#ids.set(text, id);
    return id;
  }
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
