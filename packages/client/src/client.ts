import { createApiKey, listApiKeys, login, revokeApiKey } from "./api-keys.ts";
import { followTurn, say } from "./follow-turn.ts";
import { readHealth, readReadiness, readSigningKeys } from "./probe.ts";
import {
  approve,
  cancelSession,
  deny,
  extendBudget,
  pauseSession,
  resumeSession,
  retryTurn,
  sendMessage,
  terminateSession,
} from "./session-actions.ts";
import {
  diagnoseSession,
  getSession,
  getSessionPage,
  listSessions,
  readEvents,
  readLedger,
  startSession,
  waitForSession,
} from "./sessions.ts";
import { eraseSubject, stopSessions } from "./stops.ts";
import {
  createTenant,
  getTenant,
  listTenants,
  readTenantEvents,
  resumeTenant,
  suspendTenant,
  updateTenant,
} from "./tenants.ts";
import { Transport, type ClientOptions } from "./transport.ts";
import { watchSession } from "./watch-session.ts";

/** A function of the API without its first argument, with its words. */
type Bound<F> = F extends (transport: Transport, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

export interface SomaClient {
  readonly startSession: Bound<typeof startSession>;
  readonly getSession: Bound<typeof getSession>;
  readonly diagnoseSession: Bound<typeof diagnoseSession>;
  readonly getSessionPage: Bound<typeof getSessionPage>;
  readonly listSessions: Bound<typeof listSessions>;
  readonly watchSession: Bound<typeof watchSession>;
  readonly say: Bound<typeof say>;
  readonly followTurn: Bound<typeof followTurn>;
  readonly sendMessage: Bound<typeof sendMessage>;
  readonly approve: Bound<typeof approve>;
  readonly deny: Bound<typeof deny>;
  readonly pauseSession: Bound<typeof pauseSession>;
  readonly resumeSession: Bound<typeof resumeSession>;
  readonly cancelSession: Bound<typeof cancelSession>;
  readonly terminateSession: Bound<typeof terminateSession>;
  readonly retryTurn: Bound<typeof retryTurn>;
  readonly extendBudget: Bound<typeof extendBudget>;
  readonly stopSessions: Bound<typeof stopSessions>;
  readonly eraseSubject: Bound<typeof eraseSubject>;
  readonly readEvents: Bound<typeof readEvents>;
  readonly readLedger: Bound<typeof readLedger>;
  readonly waitForSession: Bound<typeof waitForSession>;
  readonly tenants: {
    readonly create: Bound<typeof createTenant>;
    readonly get: Bound<typeof getTenant>;
    readonly list: Bound<typeof listTenants>;
    readonly update: Bound<typeof updateTenant>;
    readonly suspend: Bound<typeof suspendTenant>;
    readonly resume: Bound<typeof resumeTenant>;
    readonly events: Bound<typeof readTenantEvents>;
  };
  readonly apiKeys: {
    readonly create: Bound<typeof createApiKey>;
    readonly list: Bound<typeof listApiKeys>;
    readonly revoke: Bound<typeof revokeApiKey>;
  };
  readonly login: Bound<typeof login>;
  readonly health: Bound<typeof readHealth>;
  readonly readiness: Bound<typeof readReadiness>;
  readonly signingKeys: Bound<typeof readSigningKeys>;
}

/**
 * The public API as functions, for browsers and servers alike. What each does, takes and throws stands at the function
 * of its name: sessions in `sessions.ts`, `session-actions.ts`,
 * `follow-turn.ts` and `watch-session.ts`, stops, tenants and keys in files of their names.
 *
 * @example
 * const soma = createClient({ baseUrl: "http://127.0.0.1:10000", token });
 * const { session_id } = await soma.startSession({ prompt: "Say yes." });
 * for await (const update of soma.watchSession(session_id)) if (update.kind === "delta") write(update.delta.text);
 * const { status, result } = await soma.getSession(session_id);
 *
 * @throws TypeError for an address that is not http(s), or that holds a password.
 */
export function createClient(options: ClientOptions): SomaClient {
  const transport = new Transport(options);
  return {
    startSession: (...rest) => startSession(transport, ...rest),
    getSession: (...rest) => getSession(transport, ...rest),
    diagnoseSession: (...rest) => diagnoseSession(transport, ...rest),
    getSessionPage: (...rest) => getSessionPage(transport, ...rest),
    listSessions: (...rest) => listSessions(transport, ...rest),
    watchSession: (...rest) => watchSession(transport, ...rest),
    say: (...rest) => say(transport, ...rest),
    followTurn: (...rest) => followTurn(transport, ...rest),
    sendMessage: (...rest) => sendMessage(transport, ...rest),
    approve: (...rest) => approve(transport, ...rest),
    deny: (...rest) => deny(transport, ...rest),
    pauseSession: (...rest) => pauseSession(transport, ...rest),
    resumeSession: (...rest) => resumeSession(transport, ...rest),
    cancelSession: (...rest) => cancelSession(transport, ...rest),
    terminateSession: (...rest) => terminateSession(transport, ...rest),
    retryTurn: (...rest) => retryTurn(transport, ...rest),
    extendBudget: (...rest) => extendBudget(transport, ...rest),
    stopSessions: (...rest) => stopSessions(transport, ...rest),
    eraseSubject: (...rest) => eraseSubject(transport, ...rest),
    readEvents: (...rest) => readEvents(transport, ...rest),
    readLedger: (...rest) => readLedger(transport, ...rest),
    waitForSession: (...rest) => waitForSession(transport, ...rest),
    tenants: {
      create: (...rest) => createTenant(transport, ...rest),
      get: (...rest) => getTenant(transport, ...rest),
      list: (...rest) => listTenants(transport, ...rest),
      update: (...rest) => updateTenant(transport, ...rest),
      suspend: (...rest) => suspendTenant(transport, ...rest),
      resume: (...rest) => resumeTenant(transport, ...rest),
      events: (...rest) => readTenantEvents(transport, ...rest),
    },
    apiKeys: {
      create: (...rest) => createApiKey(transport, ...rest),
      list: (...rest) => listApiKeys(transport, ...rest),
      revoke: (...rest) => revokeApiKey(transport, ...rest),
    },
    login: (...rest) => login(transport, ...rest),
    health: (...rest) => readHealth(transport, ...rest),
    readiness: (...rest) => readReadiness(transport, ...rest),
    signingKeys: (...rest) => readSigningKeys(transport, ...rest),
  };
}
