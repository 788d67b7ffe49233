import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { readField, readList, readNumber, readRecord, readText } from "../json-fields.ts";
import { parseIdentity } from "../processes/parse-identity.ts";
import { isPartName, isPartStatus, type PartState, type StackState } from "./stack-state.ts";

/** Writes the state whole or not at all: a reader never sees half of it. Its folder is made again if somebody removed it. */
export function writeState(path: string, state: StackState): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.new`;
  writeFileSync(aside, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(aside, path);
}

/** The state in this file; undefined when there is none, or one that another version wrote. */
export function readState(path: string): StackState | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return parseState(value);
  } catch {
    return undefined;
  }
}

/** @throws TypeError naming the field that is not as agreed. */
export function parseState(value: unknown): StackState {
  const temporalUi = readField(value, "temporalUi");
  return {
    name: readText(value, "name"),
    marker: readText(value, "marker"),
    owner: parseIdentity(readRecord(value, "owner")),
    startedAt: readText(value, "startedAt"),
    ...(typeof temporalUi === "string" && { temporalUi }),
    rayDir: readText(value, "rayDir"),
    parts: readList(value, "parts").map((part) => parsePart(part)),
  };
}

function parsePart(value: unknown): PartState {
  const name = readField(value, "name");
  const status = readField(value, "status");
  if (!isPartName(name)) throw new TypeError("name is not a part of the stack");
  if (!isPartStatus(status)) throw new TypeError("status is not a part's status");
  const identity = readField(value, "process");
  const readyAfterMs = readField(value, "readyAfterMs");
  const note = readField(value, "note");
  return {
    name,
    status,
    since: readText(value, "since"),
    address: readText(value, "address"),
    logFile: readText(value, "logFile"),
    ...(identity !== undefined && { process: parseIdentity(identity) }),
    ...(typeof readyAfterMs === "number" && { readyAfterMs }),
    restarts: readNumber(value, "restarts"),
    ...(typeof note === "string" && { note }),
  };
}
