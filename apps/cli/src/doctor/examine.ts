import { createClient, type SomaClient } from "@soma/client/client";
import { SomaError } from "@soma/client/soma-error";
import { isAccepted } from "../commands/whoami.ts";
import { describeError } from "../describe-error.ts";
import { CliError, exitOf, type ExitName } from "../exit-codes.ts";
import { readSettings, type GlobalOptions, type Settings } from "../settings.ts";
import { version } from "../version.ts";

/** One thing that was looked at. `exit` is what the exit code becomes when it is the first that is wrong. */
export interface Finding {
  readonly check: string;
  readonly status: "ok" | "note" | "wrong";
  readonly detail: string;
  readonly next?: string;
  readonly exit?: ExitName;
}

/** Tokens are checked with a leeway of seconds: a clock that is further off makes good ones look expired or unborn. */
const allowedSkewMs = 5_000;

/** Looks at one thing after the other, as far as each makes the next one possible. Never throws for what it finds. */
export async function examine(options: GlobalOptions): Promise<Finding[]> {
  const own: Finding = { check: "versions", status: "ok", detail: `soma ${version}, Node ${process.versions.node}` };
  let settings: Settings;
  try {
    settings = readSettings(options);
  } catch (error) {
    return [own, wrong("settings", error)];
  }
  const findings = [own, { check: "settings", status: "ok" as const, detail: `${settings.url} (${settings.urlFrom})` }];
  const { token, tenant } = settings;
  const soma = createClient({
    baseUrl: settings.url,
    timeoutMs: 5_000,
    attemptTimeoutMs: 5_000,
    ...(token !== undefined && { token }),
    ...(tenant !== undefined && { tenant }),
  });
  const reached = await reach(soma, settings);
  return [...findings, ...reached.findings, ...(reached.isThere ? await lookInside(soma, settings) : [])];
}

async function reach(soma: SomaClient, { url }: Settings): Promise<{ findings: Finding[]; isThere: boolean }> {
  try {
    const health = await soma.health();
    if (!health) {
      const detail = `${url} answers, and is no service of this system.`;
      return {
        isThere: false,
        findings: [{ check: "service", status: "wrong", detail, next: "check --url", exit: "unavailable" }],
      };
    }
    const { service, version: running, date } = health;
    return {
      isThere: true,
      findings: [{ check: "service", status: "ok", detail: `${service} ${running} at ${url}` }, ...examineClock(date)],
    };
  } catch (error) {
    const next = "is the stack up? make dev-status; is the address right? --url, SOMA_URL";
    return { isThere: false, findings: [{ ...wrong("service", error), next }] };
  }
}

function examineClock(date: string | undefined): Finding[] {
  if (date === undefined) return [];
  const skewMs = Date.parse(date) - Date.now();
  // The header has whole seconds.
  const seconds = (skewMs / 1000).toFixed(0);
  if (Math.abs(skewMs) <= allowedSkewMs) return [{ check: "clock", status: "ok", detail: "agrees with the service's" }];
  const detail = `The service's clock is ${seconds} s from this one.`;
  return [{ check: "clock", status: "wrong", detail, next: "set the clock that is off (NTP)", exit: "failure" }];
}

async function lookInside(soma: SomaClient, settings: Settings): Promise<Finding[]> {
  return [await examineReadiness(soma), ...(await examineIdentity(soma)), ...(await examineCredential(soma, settings))];
}

async function examineReadiness(soma: SomaClient): Promise<Finding> {
  try {
    const readiness = await soma.readiness();
    if (!readiness) return { check: "ready", status: "note", detail: "The service does not say whether it is ready." };
    const { status, missing } = readiness;
    const names = missing
      .map(({ name, address }) => (address === undefined ? name : `${name} at ${address}`))
      .join(", ");
    if (status === "ready") return { check: "ready", status: "ok", detail: "nothing is missing" };
    const next = "look at the logs of what is missing; on a laptop: make dev-status";
    if (status === "degraded")
      return { check: "ready", status: "note", detail: `Works, without ${names}: sessions that need it wait.`, next };
    return { check: "ready", status: "wrong", detail: `Not ready, without ${names}.`, next, exit: "unavailable" };
  } catch (error) {
    return wrong("ready", error);
  }
}

/** Whether logins and tokens can be checked: the keys of the identity service, as the gateway gives them out. */
async function examineIdentity(soma: SomaClient): Promise<Finding[]> {
  const check = "identity";
  try {
    const answer = await soma.signingKeys();
    // An orchestrator that stands alone does not pass them on.
    if (answer.status === 404) return [];
    if (answer.keys > 0) return [{ check, status: "ok", detail: `${String(answer.keys)} signing keys` }];
    const detail = `The identity service cannot be asked (${String(answer.status)}).`;
    return [{ check, status: "wrong", detail, next: "look at the identity service's log", exit: "unavailable" }];
  } catch (error) {
    return [wrong(check, error)];
  }
}

async function examineCredential(soma: SomaClient, { notes, tokenFrom = "" }: Settings): Promise<Finding[]> {
  const check = "login";
  const expiresAt = notes?.expiresAt;
  const next = "soma login";
  if (expiresAt && expiresAt.getTime() <= Date.now())
    return [{ check, status: "wrong", detail: `It ended at ${expiresAt.toISOString()}.`, next, exit: "notAllowed" }];
  try {
    const isIn = await isAccepted({ soma });
    if (!notes)
      return isIn
        ? [{ check, status: "note", detail: "There is none, and this service asks for none." }]
        : [
            {
              check,
              status: "wrong",
              detail: "There is none, and the service asks for one.",
              next,
              exit: "notAllowed",
            },
          ];
    if (!isIn)
      return [
        {
          check,
          status: "wrong",
          detail: `The service does not take the one from ${tokenFrom}: it ended, was revoked, or is another installation's.`,
          next,
          exit: "notAllowed",
        },
      ];
    const who = `${notes.user ?? "somebody"}${notes.tenant === undefined ? "" : ` of ${notes.tenant}`} (${tokenFrom})`;
    const until = expiresAt ? `, until ${expiresAt.toISOString()}` : "";
    const scopes: Finding[] = notes.scopes ? [{ check: "rights", status: "ok", detail: notes.scopes.join(" ") }] : [];
    return [{ check, status: "ok", detail: `${who}${until}` }, ...scopes];
  } catch (error) {
    return [wrong(check, error)];
  }
}

function wrong(check: string, error: unknown): Finding {
  if (error instanceof SomaError)
    return { check, status: "wrong", detail: `${error.detail} Request ${error.requestId}.`, exit: exitOf(error) };
  if (error instanceof CliError)
    return {
      check,
      status: "wrong",
      detail: error.message,
      exit: error.exit,
      ...(error.hint !== undefined && { next: error.hint }),
    };
  return { check, status: "wrong", detail: describeError(error).text.trim(), exit: "failure" };
}
