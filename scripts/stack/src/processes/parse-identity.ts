import { readNumber, readText } from "../json-fields.ts";
import type { ProcessIdentity } from "./process-table.ts";

/** Reads an identity that was written as JSON. @throws TypeError naming the field that is missing. */
export function parseIdentity(value: unknown): ProcessIdentity {
  return {
    pid: readNumber(value, "pid"),
    startTicks: readNumber(value, "startTicks"),
    bootId: readText(value, "bootId"),
  };
}
