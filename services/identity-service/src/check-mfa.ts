import { join } from "node:path";
import { DomainError } from "@soma/kit/domain-error";
import { isNodeError, readSecretFile } from "@soma/kit/secret-file";
import { generateSync, verifySync } from "otplib";
import type { Principal } from "./principals/principal.ts";
import type { TotpHistory, TotpOutcome, TotpStore } from "./state/totp-store.ts";

const periodSeconds = 30;
const digits = 6;
/** Wrong codes that a user has within the window; with three codes valid at a time, a guesser's chance is 1 in 66,000. */
const maxFailures = 5;
const windowMs = 300_000;

export interface MfaDeps {
  readonly secretsDir: string;
  readonly store: TotpStore;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/**
 * Demands an enrolled user's one-time code (RFC 6238; SHA-1, 30 s, 6 digits; one step of clock difference either way).
 * A code counts once: only codes of a later time step are accepted after it.
 *
 * @throws DomainError MFA_REQUIRED when it is missing, wrong or used, with `Retry-After` after too many wrong ones.
 */
export function checkMfa(
  { secretsDir, store, clock }: MfaDeps,
  who: { readonly tenant: string; readonly user: string; readonly entry: Principal },
  code: string | undefined,
): void {
  const { totpSecretFile } = who.entry;
  if (code === undefined || totpSecretFile === undefined)
    throw new DomainError("MFA_REQUIRED", "This user needs a one-time code in mfa_code.");
  const secret = readSecretFile(join(secretsDir, totpSecretFile)).toString("utf8").trim();
  const nowMs = clock();
  const outcome = store.attempt(who.tenant, who.user, { nowMs, sinceMs: nowMs - windowMs }, (history) =>
    judge(history, secret, code, nowMs),
  );
  if (outcome.kind === "accepted") return;
  throw new DomainError(
    "MFA_REQUIRED",
    "The one-time code is not accepted; wait for the next one.",
    outcome.kind === "locked" ? { retryAfterSeconds: outcome.retryAfterSeconds } : {},
  );
}

function judge({ lastStep, failures }: TotpHistory, secret: string, code: string, nowMs: number): TotpOutcome {
  const nth = failures.at(-maxFailures);
  if (nth !== undefined)
    return { kind: "locked", retryAfterSeconds: Math.max(1, Math.ceil((nth + windowMs - nowMs) / 1_000)) };
  const epoch = Math.floor(nowMs / 1_000);
  const newestStep = Math.floor(epoch / periodSeconds) + 1;
  // otplib throws, and does not refuse, a code of another length or a history that lies ahead of the clock.
  if (code.length !== digits || (lastStep !== undefined && lastStep >= newestStep)) return { kind: "wrong" };
  const result = verifySync({
    secret,
    token: code,
    epoch,
    epochTolerance: periodSeconds,
    ...(lastStep !== undefined && { afterTimeStep: lastStep }),
  });
  return result.valid && "timeStep" in result ? { kind: "accepted", step: result.timeStep } : { kind: "wrong" };
}

/** Why a TOTP secret's file cannot be used, in words that hold nothing of it; undefined when it can. */
export function totpProblem(secretsDir: string, fileName: string): string | undefined {
  let secret: string;
  try {
    secret = readSecretFile(join(secretsDir, fileName)).toString("utf8").trim();
  } catch (error) {
    if (isNodeError(error, "ENOENT")) return `no file of this name is in ${secretsDir}`;
    return "the file cannot be read, or others than its owner can read it; run: chmod 600";
  }
  try {
    generateSync({ secret });
    return undefined;
  } catch {
    return "the file does not hold a base32 secret of at least 16 bytes";
  }
}
