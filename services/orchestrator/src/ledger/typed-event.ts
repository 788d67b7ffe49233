import { AuditEvent, eventData, type EventData, type EventType, type NewEvent } from "@soma/contracts/audit";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";

/** Type and data of an event as one discriminated union, for an exhaustive `switch`. */
export type TypedEvent = { [T in EventType]: { readonly type: T; readonly data: EventData<T> } }[EventType];

const TypedEventSchema = Type.Unsafe<TypedEvent>(
  Type.Union(
    Object.entries(eventData).map(([type, data]) =>
      Type.Object({ type: Type.Literal(type), data }, { additionalProperties: false }),
    ),
  ),
);

const typedEventValidator = Compile(TypedEventSchema);
const eventValidator = Compile(AuditEvent);

/** @throws TypeError when `data` does not fit the schema of the event's type; names fields, never values */
export function typedEvent(event: Pick<AuditEvent, "type" | "data"> | NewEvent): TypedEvent {
  const typed: unknown = { type: event.type, data: event.data };
  if (typedEventValidator.Check(typed)) return typed;
  const schema = Object.hasOwn(eventData, event.type) ? eventData[event.type] : undefined;
  if (schema === undefined) throw new TypeError("event of an unknown type");
  throw new TypeError(`data of ${event.type} does not fit its schema: ${badFields(schema, event.data)}`);
}

/** @throws TypeError when a value is not an event of the public contract; names fields, never values */
export function assertAuditEvent(value: unknown): asserts value is AuditEvent {
  if (!eventValidator.Check(value)) {
    throw new TypeError(`event does not fit its schema: ${badFields(AuditEvent, value)}`);
  }
}

/** The fields that do not fit, for people; never a value. */
export function badFields(schema: Type.TSchema, value: unknown): string {
  return Value.Errors(schema, value)
    .map((error) => `${error.instancePath === "" ? "/" : error.instancePath} ${error.message}`)
    .join(", ");
}
