/** A schema's members in order, those that may be left out with a question mark: `a b?`. */
export function fieldsOf(schema: {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[] | undefined;
}): string {
  const required = new Set(schema.required);
  return Object.keys(schema.properties)
    .map((field) => (required.has(field) ? field : `${field}?`))
    .join(" ");
}
