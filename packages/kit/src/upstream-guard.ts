import {
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
} from "cockatiel";
import type { Counter } from "./metrics.ts";
import { RetryBudget } from "./retry-budget.ts";

/** Why a call was not made at all. */
export const shedReasons = ["circuit_open", "retry_budget"] as const;
export type ShedReason = (typeof shedReasons)[number];

/** A call that was not made, to spare an upstream that does not answer: for the caller the same as no answer. */
export class CallShedError extends Error {
  override readonly name = "CallShedError";
  readonly reason: ShedReason;
  constructor(upstream: string, reason: ShedReason) {
    const why = reason === "circuit_open" ? "it failed again and again a moment ago" : "too many retries are under way";
    super(`${upstream} was not called: ${why}`);
    this.reason = reason;
  }
}

interface GuardOptions<Name extends string> {
  /** The upstream, as it is named in metrics. */
  readonly name: Name;
  /**
   * What an error says of the upstream: that it does not work, or that it answered, if only with a refusal. Any other,
   * such as a call that was given up, says nothing.
   */
  readonly judge: (error: unknown) => "fault" | "answer" | "nothing";
  readonly shed: Counter<"dependency" | "reason">;
  /** Faults one after the other that open the circuit. */
  readonly faultsToOpen?: number;
  /** After which one call is let through to see. */
  readonly openForMs?: number;
  readonly budget?: RetryBudget;
}

type Answer<Result> = { readonly result: Result } | { readonly refusal: unknown };

/**
 * Stands before the calls to one upstream. A circuit breaker: after some faults in a row no call is made for a second,
 * then one, and its answer closes the circuit. And a budget for retries.
 */
export class UpstreamGuard<Name extends string = string> {
  readonly #options: GuardOptions<Name>;
  readonly #circuit: CircuitBreakerPolicy;
  readonly #budget: RetryBudget;

  constructor(options: GuardOptions<Name>) {
    const { judge, faultsToOpen = 5, openForMs = 1_000, budget } = options;
    this.#options = options;
    this.#circuit = circuitBreaker(
      handleWhen((error) => judge(error) === "fault"),
      {
        halfOpenAfter: openForMs,
        breaker: new ConsecutiveBreaker(faultsToOpen),
      },
    );
    this.#budget = budget ?? new RetryBudget({ perSecond: 10, perSuccess: 2, cap: 100 });
  }

  /** @throws CallShedError when the call was not made; otherwise what the call throws */
  async run<Result>(call: () => Promise<Result>, { retry }: { readonly retry: boolean }): Promise<Result> {
    if (retry && !this.#budget.take()) throw this.#shed("retry_budget");
    let answer: Answer<Result>;
    try {
      answer = await this.#circuit.execute(() => this.#answerOf(call));
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw this.#shed("circuit_open");
      throw error;
    }
    if ("refusal" in answer) throw answer.refusal;
    this.#budget.answered();
    return answer.result;
  }

  /** For the circuit a refusal is as good as a result. */
  async #answerOf<Result>(call: () => Promise<Result>): Promise<Answer<Result>> {
    try {
      return { result: await call() };
    } catch (error) {
      if (this.#options.judge(error) === "answer") return { refusal: error };
      throw error;
    }
  }

  #shed(reason: ShedReason): CallShedError {
    this.#options.shed.inc({ dependency: this.#options.name, reason });
    return new CallShedError(this.#options.name, reason);
  }
}
