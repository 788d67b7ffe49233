/** JSON from outside (a state file, an answer) is `unknown`; these read one field and say which one is not as agreed. */

/** A field that may be absent, of any type. */
export function readField(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) throw new TypeError(`expected an object with ${name}`);
  const field: unknown = Reflect.get(value, name);
  return field;
}

/** @throws TypeError when the field is not text. */
export function readText(value: unknown, name: string): string {
  const field = readField(value, name);
  if (typeof field !== "string") throw new TypeError(`${name} is not text`);
  return field;
}

/** @throws TypeError when the field is not a number. */
export function readNumber(value: unknown, name: string): number {
  const field = readField(value, name);
  if (typeof field !== "number") throw new TypeError(`${name} is not a number`);
  return field;
}

/** @throws TypeError when the field is not an object. */
export function readRecord(value: unknown, name: string): object {
  const field = readField(value, name);
  if (typeof field !== "object" || field === null) throw new TypeError(`${name} is not an object`);
  return field;
}

/** @throws TypeError when the field is not a list. */
export function readList(value: unknown, name: string): readonly unknown[] {
  const field = readField(value, name);
  if (!Array.isArray(field)) throw new TypeError(`${name} is not a list`);
  const list: unknown[] = field;
  return list;
}
