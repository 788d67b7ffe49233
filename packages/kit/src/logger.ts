import { pino, type DestinationStream, type Logger } from "pino";

export type { Logger } from "pino";
export const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * The only fields that a log line can carry besides level, time, service and message. A field that is not listed is
 * dropped and counted in `dropped`, so that nobody has to remember what must not be logged: prompts, completions,
 * tokens, codes and bodies have no way in.
 */
export const logFields = [
  "address",
  "attempt",
  "code",
  "count",
  "decision_id",
  "dependency",
  "duration_ms",
  "effect_key",
  "err",
  "event_type",
  "file",
  "kid",
  "line",
  "method",
  "outage_ms",
  "outcome",
  "pack",
  "pid",
  "policy_version",
  "port",
  "reason",
  "request_id",
  "route",
  "seq",
  "session_id",
  "signal",
  "status",
  "step",
  "task_queue",
  "tenant",
  "url",
  "version",
] as const;

const allowed: ReadonlySet<string> = new Set(logFields);

/** A JSON logger whose lines hold allow-listed fields only. `destination` is stdout unless given. */
export function createLogger(service: string, level: LogLevel, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: keepAllowed,
      },
      hooks: {
        logMethod(parameters, method) {
          // A line without words of its own would carry the error's, at any length.
          if (parameters.length === 1 && typeof parameters[0] !== "string") method.call(this, parameters[0], "error");
          else method.apply(this, parameters);
        },
      },
      // Bindings of a child would go past the list: pino gives them to no formatter.
      onChild: () => {
        throw new TypeError("a child logger is not bound to the list of fields; log the fields with each line");
      },
      serializers: { err: (error) => describeError(error) },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

function keepAllowed(line: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(line);
  // An object under an allowed name would bring fields that nobody looked at.
  const kept = entries.filter(([field, value]) => allowed.has(field) && (field === "err" || typeof value !== "object"));
  const dropped = entries.length - kept.length;
  return dropped === 0 ? line : { ...Object.fromEntries(kept), dropped };
}

const maxCauses = 5;

/** Errors by name, code, message and stack, causes included, each text bounded; fields that libraries hang on errors stay out. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { name: "NotAnError", message: typeof error };
  const code: unknown = Reflect.get(error, "code");
  return {
    name: error.name,
    ...(typeof code === "string" && { code }),
    message: error.message.slice(0, 300),
    ...(error.stack !== undefined && { stack: error.stack.slice(error.stack.indexOf("\n    at ")).slice(0, 1500) }),
    // Bounded: an error can be its own cause.
    ...(error.cause !== undefined && depth < maxCauses && { cause: describeError(error.cause, depth + 1) }),
  };
}
