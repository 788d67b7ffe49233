import type { ErrorCode } from "@soma/contracts/error-codes";
import type { Dependency } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { CallShedError, UpstreamGuard } from "@soma/kit/upstream-guard";
import type { SessionMetrics } from "../session-metrics.ts";
import type { IdentityClient } from "./identity-client.ts";
import type { MemoryClient } from "./memory-client.ts";
import { ModelBusyError, type ModelClient } from "./model-client.ts";
import type { PolicyClient } from "./policy-client.ts";

interface GuardedClients {
  readonly policy: PolicyClient;
  readonly identity: IdentityClient;
  readonly model: ModelClient;
  readonly memory?: MemoryClient;
}

interface Guarding {
  readonly metrics: SessionMetrics;
  /** Whether the call that is being made is a repetition of one that failed. */
  readonly isRetry: () => boolean;
}

/**
 * The clients of the upstreams, each behind a circuit breaker and a budget for retries. A call that is not made ends
 * as one that got no answer: the session waits, and Temporal tries again. Health probes pass: they are how the end of
 * an outage is seen.
 */
export function guardClients({ policy, identity, model, memory }: GuardedClients, guarding: Guarding): GuardedClients {
  const askPolicy = guardOf("policy-engine", "POLICY_UNAVAILABLE", guarding);
  const askIdentity = guardOf("identity-service", "IDENTITY_UNAVAILABLE", guarding);
  const askModel = guardOf("slm", "MODEL_UNAVAILABLE", guarding);
  const askMemory = guardOf("memory-gateway", "MEMORY_UNAVAILABLE", guarding);
  return {
    ...(memory && {
      memory: {
        ...memory,
        retrieve: (...call) => askMemory(() => memory.retrieve(...call)),
        remember: (...call) => askMemory(() => memory.remember(...call)),
      },
    }),
    policy: { ...policy, evaluate: (...call) => askPolicy(() => policy.evaluate(...call)) },
    identity: {
      ...identity,
      issue: (...call) => askIdentity(() => identity.issue(...call)),
      verify: (...call) => askIdentity(() => identity.verify(...call)),
      revoke: (...call) => askIdentity(() => identity.revoke(...call)),
      revokeById: (...call) => askIdentity(() => identity.revokeById(...call)),
    },
    model: {
      ...model,
      listModels: (...call) => askModel(() => model.listModels(...call)),
      async complete(request) {
        // The first words show that the model works; how long it then speaks says nothing of its health.
        const begun = Promise.withResolvers<void>();
        const onText = (text: string): void => {
          begun.resolve();
          request.onText(text);
        };
        const { completion } = await askModel(async () => {
          const working = model.complete({ ...request, onText });
          await Promise.race([begun.promise, working]);
          return { completion: working };
        });
        return completion;
      },
    },
  };
}

type Guarded = <Result>(call: () => Promise<Result>) => Promise<Result>;

function guardOf(name: Dependency, whenShed: ErrorCode, { metrics, isRetry }: Guarding): Guarded {
  const guard = new UpstreamGuard({ name, judge, shed: metrics.callsShed });
  return async (call) => {
    try {
      return await guard.run(call, { retry: isRetry() });
    } catch (error) {
      if (!(error instanceof CallShedError)) throw error;
      throw new DomainError(
        whenShed,
        `The ${name} is spared for a moment, because it failed; it is asked again soon.`,
        {
          cause: error,
        },
      );
    }
  };
}

/** No answer. One that cannot be trusted is one, too: whoever gives it is not short of breath, and its fault must be seen. */
const noAnswer: ReadonlySet<ErrorCode> = new Set([
  "POLICY_UNAVAILABLE",
  "IDENTITY_UNAVAILABLE",
  "MODEL_UNAVAILABLE",
  "MEMORY_UNAVAILABLE",
]);

function judge(error: unknown): "fault" | "answer" | "nothing" {
  if (!(error instanceof DomainError)) return "nothing";
  return noAnswer.has(error.code) && !(error.cause instanceof ModelBusyError) ? "fault" : "answer";
}
