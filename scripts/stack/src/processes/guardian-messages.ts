import { readRecord, readText } from "../json-fields.ts";
import { parseIdentity } from "./parse-identity.ts";
import type { ProcessIdentity } from "./process-table.ts";

/** What the owner of a stack tells its guardian, one JSON line each. */
export type GuardianMessage =
  | { readonly kind: "leader"; readonly leader: ProcessIdentity }
  | { readonly kind: "remove"; readonly path: string };

/** Reads one line. @throws TypeError when it is not a message. */
export function readGuardianMessage(line: string): GuardianMessage {
  const value: unknown = JSON.parse(line);
  if (readText(value, "kind") === "remove") return { kind: "remove", path: readText(value, "path") };
  return { kind: "leader", leader: parseIdentity(readRecord(value, "leader")) };
}
