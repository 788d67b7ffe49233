import type { Cause } from "@soma/contracts/diagnosis";
import type { Dependency } from "@soma/contracts/wire-names";
import { sinceOf, timeOf, type Facts } from "./facts.ts";

/** What a session that works needs to get on; events that Kafka has not got hold none up. */
const needed: ReadonlySet<Dependency> = new Set(["temporal", "ledger", "policy-engine", "identity-service", "slm"]);

/** What is down that the session waits for, or will come to need. */
export function dependencyCauses(facts: Facts): Cause[] {
  const { row, outages, workflow } = facts;
  const causes: Cause[] = [];
  const names = new Set<Dependency>(outages.filter(({ name }) => needed.has(name)).map(({ name }) => name));
  if (row.blocked_on !== undefined) names.add(row.blocked_on);
  if (workflow === undefined) names.add("temporal");
  for (const name of names) {
    const outage = outages.find((one) => one.name === name);
    const waits = row.blocked_on === name;
    causes.push({
      code: "dependency_down",
      ...(waits
        ? timeOf(facts, "dependency.unavailable", ({ dependency }) => dependency === name)
        : sinceOf(outage?.since)),
      what: said(name, waits, outage !== undefined),
      would_move: `An operator: bring ${name} back (docs/technical-manual/runbooks/service-is-down.md); the session goes on by itself.`,
      details: {
        dependency: name,
        session_waits: waits,
        watch_misses_it: outage !== undefined,
        ...(waits && row.blocked_code !== undefined && { code: row.blocked_code }),
        ...(outage?.since !== undefined && { down_since: outage.since.toISOString() }),
      },
    });
  }
  return causes;
}

function said(name: Dependency, waits: boolean, missed: boolean): string {
  if (waits && missed) return `It waits for ${name}, which is down.`;
  if (waits) return `It waits for ${name}, which is seen to be there again; it asks once more within seconds.`;
  return `${name} is down; the session needs it to get on.`;
}

/** The tenant's day is used up: the next model call of this session ends it. */
export function quotaCauses({ row, tenant }: Facts): Cause[] {
  if (tenant === undefined) return [];
  const limit = tenant.row.settings.quotas.tokens_per_day;
  const used = tenant.usage.tokens_today;
  if (used < limit) return [];
  return [
    {
      code: "quota",
      what: `Its tenant has used up the day's model tokens (${String(used)} of ${String(limit)}).`,
      would_move: `The next day in UTC, or an admin of the installation: PATCH /v1/tenants/${row.tenant} with more tokens_per_day.`,
      details: { quota: "tokens_per_day", used, limit },
    },
  ];
}
