import { Counter, Gauge, Histogram, type Registry } from "@soma/kit/metrics";

/** What an operator watches of sessions. Labels are closed sets: no tenant, user or session among them. */
export interface SessionMetrics {
  readonly started: Counter;
  readonly ended: Counter<"status">;
  readonly activitySeconds: Histogram<"activity" | "outcome">;
  readonly modelTokens: Counter<"kind">;
  readonly openStreams: Gauge;
  readonly budgetRefusals: Counter<"dimension">;
  readonly budgetOverruns: Counter;
  readonly reconciled: Counter<"repair">;
  readonly callsShed: Counter<"dependency" | "reason">;
}

export function createSessionMetrics(registry: Registry): SessionMetrics {
  const registers = [registry];
  return {
    started: new Counter({
      name: "soma_sessions_started_total",
      help: "Sessions that this process accepted",
      registers,
    }),
    ended: new Counter({
      name: "soma_sessions_ended_total",
      help: "Sessions whose end this process recorded, by status",
      labelNames: ["status"],
      registers,
    }),
    activitySeconds: new Histogram({
      name: "soma_activity_duration_seconds",
      help: "Attempts of activities, by name and by outcome: ok, canceled or an error code",
      labelNames: ["activity", "outcome"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    modelTokens: new Counter({
      name: "soma_model_tokens_total",
      help: "Tokens of completed model calls, by kind: prompt or completion; an outcome told again is not counted",
      labelNames: ["kind"],
      registers,
    }),
    callsShed: new Counter({
      name: "soma_upstream_calls_shed_total",
      help: "Calls that were not made, to spare an upstream that fails, by reason: circuit_open or retry_budget",
      labelNames: ["dependency", "reason"],
      registers,
    }),
    reconciled: new Counter({
      name: "soma_sessions_reconciled_total",
      help: "Sessions whose row was brought to what Temporal says, by repair: run (its run id was missing), cancel (a recorded request had not reached the workflow) or the status that they had ended with",
      labelNames: ["repair"],
      registers,
    }),
    budgetRefusals: new Counter({
      name: "soma_budget_refusals_total",
      help: "Effects that did not begin, or ended, for want of budget, by dimension of the session's budget (tokens, cost_micros, steps, wall_seconds) or of the tenant's day (tokens_per_day, cost_micros_per_day)",
      labelNames: ["dimension"],
      registers,
    }),
    budgetOverruns: new Counter({
      name: "soma_budget_overruns_total",
      help: "Model calls that report more tokens than were set aside for them: the model service does not keep to its cap, or its tokenizer is not of bytes",
      registers,
    }),
    openStreams: new Gauge({ name: "soma_event_streams_open", help: "Open event streams of this process", registers }),
  };
}
