import type { InvariantName } from "./invariants.ts";
import { eventsBySession, labelOf } from "./record-views.ts";
import type { ClientSession, RunRecords, SessionKind } from "./records.ts";
import { retell, type Draft } from "./seal.ts";

type Seed = (records: RunRecords) => RunRecords;

/**
 * For each invariant the ways to break it, one at a time, in the records of a run in which all hold. A check without a
 * seed does not compile, and a seed that reddens another check than its own fails the test.
 */
export const seeds: Readonly<Record<InvariantName, Readonly<Record<string, Seed>>>> = {
  "no-session-lost": {
    "an acknowledged session is nowhere": withClient("unnamed", (client) => ({
      ...client,
      starts: [...client.starts, { at: 1, status: 202, sessionId: "sess-lost" }],
    })),
  },
  "no-ghost": {
    "a workflow nobody asked for": (records) => ({
      ...records,
      workflows: [
        ...records.workflows,
        { workflowId: "session-ghost", status: "COMPLETED", result: "completed", events: 14, attempts: [] },
      ],
    }),
    "a session under a label nobody gave": inStory("plain", (events) =>
      events.map((event) =>
        event["type"] === "session.created" ? { ...event, data: { ...event.data, labels: ["nobody"] } } : event,
      ),
    ),
  },
  "same-key-same-session": {
    "the key gave another session": (records) =>
      withClient("keyed", (client) => ({
        ...client,
        starts: [...client.starts, { at: 1, status: 202, sessionId: sessionOf(records, "plain") }],
      }))(records),
  },
  "every-session-ends": {
    "the end is missing": (records) => {
      const id = sessionOf(records, "plain");
      const changed = withStatus(inStory("plain", (events) => events.slice(0, -1))(records), "plain", "running");
      const workflows = changed.workflows.map((workflow) =>
        workflow.workflowId === `session-${id}` ? { ...workflow, status: "RUNNING" } : workflow,
      );
      return { ...changed, workflows };
    },
  },
  "ends-as-promised": {
    "a session failed over an outage": (records) => {
      const id = sessionOf(records, "plain");
      const workflows = records.workflows.map((workflow) =>
        workflow.workflowId === `session-${id}`
          ? { workflowId: workflow.workflowId, status: "FAILED", events: 14, attempts: [] }
          : workflow,
      );
      const failed = inStory("plain", (events) =>
        events.map((event) =>
          event["type"] === "session.completed"
            ? { ...event, type: "session.failed", data: { code: "MODEL_REJECTED", step: "completion-1" } }
            : event,
        ),
      );
      return withStatus({ ...failed(records), workflows }, "plain", "failed");
    },
  },
  "no-effect-twice": {
    "the model finished twice": (records) => ({
      ...records,
      requests: [
        ...records.requests,
        ...records.requests.filter(({ target, finished }) => target === "slm" && finished).slice(0, 1),
      ],
    }),
    "the model's journal has it twice": withGenerations((lines) => [...lines, ...lines.slice(0, 1)]),
    "two outcomes in the ledger": inStory("plain", (events) =>
      events.flatMap((event) =>
        event["type"] === "effect.completed"
          ? [event, { ...event, eventkey: `${String(event["eventkey"])}/again` }]
          : [event],
      ),
    ),
  },
  "permit-before-effect": {
    "no decision": inStory("plain", without("policy.decided")),
    "a decision about another action": inStory("plain", (events) =>
      events.map((event) =>
        event["type"] === "policy.decided"
          ? { ...event, data: { ...event.data, action_digest: `sha256:${"1".repeat(64)}` } }
          : event,
      ),
    ),
    "a decision that had expired": inStory("plain", (events) =>
      events.map((event) =>
        event["type"] === "policy.decided"
          ? { ...event, data: { ...event.data, expires_at: "2020-01-01T00:00:00.000Z" } }
          : event,
      ),
    ),
  },
  "intent-before-effect": {
    "no intent": inStory("plain", without("effect.intended")),
    "the model was asked under a key of nobody": (records) => ({
      ...records,
      requests: [
        ...records.requests,
        {
          target: "slm",
          path: "/v1/chat/completions",
          at: 2e12,
          endedAt: 2e12,
          status: 503,
          finished: false,
          replayed: false,
          effectKey: `sha256:${"2".repeat(64)}`,
        },
      ],
    }),
  },
  "no-effect-after-stop": {
    "an intent after the request to cancel": inStory("plain", (events) =>
      events.flatMap((event) =>
        event["type"] === "effect.intended"
          ? [
              {
                ...event,
                type: "session.cancel_requested",
                eventkey: "session.cancel_requested",
                data: { by: "user-1" },
              },
              event,
            ]
          : [event],
      ),
    ),
    "the model was asked after the end": (records) => {
      const first = records.requests.find(({ target, finished }) => target === "slm" && finished);
      return first
        ? { ...records, requests: [...records.requests, { ...first, at: 2e12, endedAt: 2e12, finished: false }] }
        : records;
    },
  },
  "no-phantom-outcome": {
    "no generation": withGenerations(() => []),
    "a generation of another length": withGenerations((lines) =>
      lines.map((line) => ({ ...line, completionTokens: 7_777 })),
    ),
    "a generation after its outcome": withGenerations((lines) => lines.map((line) => ({ ...line, at: 2e12 }))),
  },
  "chain-whole": {
    "a changed word": (records) => {
      const last = records.ledger.findLast(({ json }) => json.includes('"type":"session.completed"'));
      const change = (text: string): string =>
        text === last?.json ? text.replace(/"traceparent":"[^"]*",|"user":"/, (found) => `${found}x`) : text;
      const streamed = new Set(
        [...eventsBySession(records)].filter(([id]) => id === last?.session).map(([, events]) => labelOf(events)),
      );
      return {
        ...records,
        ledger: records.ledger.map((row) => ({ ...row, json: change(row.json) })),
        topic: records.topic.map((message) => ({ ...message, value: change(message.value) })),
        api: records.api.map((view) =>
          view.sessionId === last?.session
            ? { ...view, events: [...view.events.slice(0, -1), change(last.json)] }
            : view,
        ),
        client: records.client.map((client) => (streamed.has(client.label) ? { ...client, streams: [] } : client)),
      };
    },
  },
  "one-ledger": {
    "the API leaves an event out": (records) => ({
      ...records,
      api: records.api.map((view, index) => (index === 0 ? { ...view, events: view.events.slice(1) } : view)),
    }),
    "a row of another place": (records) => ({
      ...records,
      ledger: records.ledger.map((row, index) => (index === 0 ? { ...row, tenant: "tenant-x" } : row)),
    }),
  },
  "streams-gap-free": {
    "an event was left out": withStream((events) => events.filter((_, index) => index !== 1)),
    "an event came twice": withStream((events) =>
      events.flatMap((event, index) => (index === 1 ? [event, event] : [event])),
    ),
    "an event said something else": withStream((events) =>
      events.map((event, index) =>
        index === 1 ? { ...event, json: event.json.replace('"user":"', '"user":"x') } : event,
      ),
    ),
  },
  "topic-in-order": {
    "two messages changed places": (records) => {
      const [first, second] = records.topic.filter(({ key }) => key === records.topic[0]?.key);
      return {
        ...records,
        topic: records.topic.map((message) => {
          if (message === first) return { ...message, offset: second?.offset ?? 0 };
          return message === second ? { ...message, offset: first?.offset ?? 0 } : message;
        }),
      };
    },
  },
  "topic-same-bytes": {
    "a repeated message with a blank more": (records) => ({
      ...records,
      topic: records.topic.flatMap((message, index) =>
        index === 0 ? [{ ...message, offset: message.offset - 0.5, value: `${message.value} ` }, message] : [message],
      ),
    }),
  },
  "topic-equals-ledger": {
    "the last event never arrived": (records) => {
      const last = records.ledger.at(-1);
      return { ...records, topic: records.topic.filter(({ value }) => value !== last?.json) };
    },
    "another session's key": (records) => {
      const first = records.topic[0]?.key;
      return {
        ...records,
        topic: records.topic.map((message) => (message.key === first ? { ...message, key: "sess-other" } : message)),
      };
    },
  },
  "tenants-apart": {
    "another tenant read it": withClient("plain", (client) => ({
      ...client,
      foreignReads: [{ at: 1, status: 200 }],
    })),
  },
  "status-agrees": {
    "the API says failed": (records) => withStatus(records, "plain", "failed"),
    "a workflow that ended and a ledger without an end": (records) =>
      withBlock(inStory("plain", (events) => events.slice(0, -1))(records), "plain"),
    "Temporal says failed": (records) => ({
      ...records,
      workflows: records.workflows.map((workflow) =>
        workflow.workflowId === `session-${sessionOf(records, "plain")}` ? { ...workflow, status: "FAILED" } : workflow,
      ),
    }),
  },
  "stays-ended": {
    "seen running after its end": withClient("plain", (client) => ({
      ...client,
      statuses: [...client.statuses, "running"],
    })),
    "an event after the end": inStory("plain", (events) => [
      ...events,
      {
        ...(events.at(-1) ?? { data: {} }),
        type: "dependency.recovered",
        eventkey: "late",
        data: { step: "completion-1", dependency: "slm" },
      },
    ]),
  },
  "no-secret": {
    "a prompt in a log": (records) => ({
      ...records,
      sinks: [...records.sinks, { place: "a log", text: `x ${records.canaries[0] ?? ""} x`, promptsAllowed: false }],
    }),
    "a token in a history": (records) => ({
      ...records,
      sinks: [
        ...records.sinks,
        {
          place: "a history",
          text: `"eyJ${"a".repeat(20)}.${"b".repeat(30)}.${"c".repeat(30)}"`,
          promptsAllowed: true,
        },
      ],
    }),
  },
  "retries-bounded": {
    "an activity was tried 41 times": (records) => ({
      ...records,
      workflows: records.workflows.map((workflow, index) =>
        index === 0 ? { ...workflow, attempts: [{ activity: "evaluate-policy", attempt: 41 }] } : workflow,
      ),
    }),
  },
  "resources-return": {
    "a stream stayed open": (records) => ({ ...records, resources: { ...records.resources, openStreams: 1 } }),
    "a workflow still runs": (records) => ({ ...records, resources: { ...records.resources, runningWorkflows: 1 } }),
  },
  "nothing-dropped-silently": {
    "refused without a code": withClient("plain", (client) => ({
      ...client,
      starts: [{ at: 1, status: 500 }, ...client.starts],
    })),
    "a stream was cut": withClient("streamed", (client) => ({
      ...client,
      streams: [{ after: 0, openedAt: 1, endedAt: 2, status: 200, complete: false, events: [] }, ...client.streams],
    })),
  },
  "faults-fired": {
    "one did not fire": (records) => ({ ...records, fired: records.fired.slice(1) }),
    "one ended no process": (records) => ({
      ...records,
      fired: records.fired.map((fault, index) => (index === 0 ? { ...fault, pids: [] } : fault)),
    }),
    "one hit nothing": (records) => ({
      ...records,
      fired: records.fired.map((fault, index) => (index === 0 ? { ...fault, openSessions: 0 } : fault)),
    }),
  },
  "back-in-time": {
    "a worker's sessions moved too late": withMeasure("worker-death", 15_001),
    "Temporal's sessions moved too late": withMeasure("temporal-back", 20_001),
    "nobody measured": (records) => ({ ...records, measures: [] }),
  },
};

function sessionOf(records: RunRecords, kind: SessionKind): string {
  const labels = new Set(records.client.flatMap((client) => (client.kind === kind ? [client.label] : [])));
  for (const [id, events] of eventsBySession(records))
    if (labels.has(labelOf(events) ?? "") && events.at(-1)?.type === "session.completed") return id;
  throw new Error(`the records hold no completed session of the kind ${kind}`);
}

function inStory(kind: SessionKind, edit: (events: Draft[]) => Draft[]): Seed {
  return (records) => retell(records, sessionOf(records, kind), edit);
}

function without(type: string): (events: Draft[]) => Draft[] {
  return (events) => events.filter((event) => event["type"] !== type);
}

function withClient(kind: SessionKind, edit: (client: ClientSession) => ClientSession): Seed {
  return (records) => {
    const chosen = records.client.find((client) => client.kind === kind);
    if (!chosen) throw new Error(`the records hold no client of the kind ${kind}`);
    return { ...records, client: records.client.map((client) => (client === chosen ? edit(client) : client)) };
  };
}

type StreamEvents = ClientSession["streams"][number]["events"];

function withStream(edit: (events: StreamEvents) => StreamEvents): Seed {
  return withClient("streamed", (client) => {
    const longest = client.streams.toSorted((one, other) => other.events.length - one.events.length)[0];
    return {
      ...client,
      streams: client.streams.map((stream) =>
        stream === longest ? { ...stream, events: edit(stream.events) } : stream,
      ),
    };
  });
}

function withStatus(records: RunRecords, kind: SessionKind, status: string): RunRecords {
  const id = sessionOfAny(records, kind);
  return { ...records, api: records.api.map((view) => (view.sessionId === id ? { ...view, status } : view)) };
}

/** The session of which the API says that it waits. */
function withBlock(records: RunRecords, kind: SessionKind): RunRecords {
  const id = sessionOfAny(records, kind);
  const api = records.api.map((view) =>
    view.sessionId === id ? { ...view, status: "running", blockedOn: "slm" } : view,
  );
  return { ...records, api };
}

/** The one that `sessionOf` finds in the untouched records: the first of its kind that the client saw completed. */
function sessionOfAny(records: RunRecords, kind: SessionKind): string {
  const client = records.client.find((one) => one.kind === kind && one.statuses.at(-1) === "completed");
  const found = [...eventsBySession(records)].find(([, events]) => labelOf(events) === client?.label);
  if (!found) throw new Error(`the records hold no completed session of the kind ${kind}`);
  return found[0];
}

function withGenerations(edit: (lines: RunRecords["generations"]) => RunRecords["generations"]): Seed {
  return (records) => ({ ...records, generations: edit(records.generations) });
}

function withMeasure(kind: "worker-death" | "temporal-back", slowestMs: number): Seed {
  return (records) => ({
    ...records,
    measures: [...records.measures, { kind, fault: "fault-x", sessions: 1, firstMs: 1, slowestMs }],
  });
}
