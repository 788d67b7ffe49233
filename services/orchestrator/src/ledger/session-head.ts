import type { EventGap } from "@soma/contracts/audit";
import { isDigest, type Digest } from "@soma/contracts/ids";
import { Compile } from "typebox/compile";
import { SessionProjection, type SessionRow } from "./session-row.ts";
import { integerOf, optionalTextOf, textOf, type StoredRow } from "./stored-row.ts";

const projectionValidator = Compile(SessionProjection);

/** A session and the end of its chain, as the next event needs them. */
export interface SessionHead {
  readonly row: SessionRow;
  readonly lastHash: Digest;
}

/** Reads a row of the sessions table. @throws TypeError when it is no session */
export function sessionRowOf(row: StoredRow): SessionRow {
  const projection: unknown = JSON.parse(textOf(row, "projection"));
  if (!projectionValidator.Check(projection)) throw new TypeError("column projection is no session");
  const runId = optionalTextOf(row, "run_id");
  return { ...projection, workflow_id: textOf(row, "workflow_id"), ...(runId !== undefined && { run_id: runId }) };
}

/** What retention has cut, as a row of the sessions table tells. */
export function gapOfRow(row: StoredRow): EventGap | undefined {
  const hash = optionalTextOf(row, "cut_hash");
  if (hash === undefined) return undefined;
  if (!isDigest(hash)) throw new TypeError("column cut_hash is no digest");
  return { from: 1, to: integerOf(row, "cut_to"), hash };
}

/** Reads a row of the sessions table with the end of its chain. @throws TypeError when it is no session */
export function sessionHeadOf(row: StoredRow): SessionHead {
  const lastHash = textOf(row, "last_hash");
  if (!isDigest(lastHash)) throw new TypeError("column last_hash is no digest");
  return { row: sessionRowOf(row), lastHash };
}
