import { errors } from "@soma/contracts/error-codes";
import { isTerminal, type SessionView } from "@soma/contracts/session";
import type { SessionRow } from "../ledger/session-row.ts";
import type { SessionDeps } from "./session-deps.ts";
import { readText } from "./read-text.ts";
import { viewSteering } from "./steering-view.ts";

/**
 * A session as its users see it: the projection of its ledger, with the result's text from the content store unless
 * `text` is false, for those who may read no text.
 */
export async function viewSession(
  deps: SessionDeps,
  row: SessionRow,
  { text = true }: { readonly text?: boolean } = {},
): Promise<SessionView> {
  const {
    role: _role,
    agent: _agent,
    authn: _authn,
    prompt_digest: _prompt,
    prompt_format: _format,
    metadata_digest: _metadata,
    token_jti: _token,
    token_origins: _origins,
    cancel_requested: _cancelRequested,
    paused: _paused,
    idle_seconds: _idle,
    mode: _mode,
    turns: _turns,
    approvals: _approvals,
    budget: _budget,
    result,
    error,
    ...shown
  } = row;
  return {
    ...shown,
    ...(await viewSteering(deps, row, text)),
    ...blockedByTemporal(deps, row),
    ...(error && { error: { code: error.code, detail: `${errors[error.code].title}.` } }),
    ...(text && result && (row.status === "completed" || row.mode === "interactive")
      ? await readResult(deps, row, result)
      : {}),
  };
}

/** A session that goes on as soon as Temporal is back says so itself; what it recorded as missing comes first. */
function blockedByTemporal(deps: SessionDeps, row: SessionRow): Pick<SessionView, "blocked_on" | "blocked_code"> {
  if (isTerminal(row.status) || row.blocked_on !== undefined || deps.temporalIsUp()) return {};
  return { blocked_on: "temporal", blocked_code: "TEMPORAL_UNAVAILABLE" };
}

async function readResult(
  deps: SessionDeps,
  row: SessionRow,
  result: NonNullable<SessionRow["result"]>,
): Promise<Pick<SessionView, "result" | "texts_gone">> {
  const read = await readText(deps.ledger, row, result.digest);
  if ("gone" in read) return { texts_gone: read.gone };
  const { model, finish_reason, usage } = result;
  return { result: { text: read.text, text_digest: result.digest, model, finish_reason, usage } };
}
