import { Pool } from "undici";
import { cpuBetween, readOwnTree } from "../cpu-account.ts";
import { interleave, type Slice } from "../interleave.ts";
import { streamChat, type ChatTiming } from "../load/chat-stream.ts";
import { generatorFault } from "../load/closed-loop.ts";
import type { Plan } from "../plan.ts";
import type { Comparison, Measured } from "../result.ts";
import { quantile, ratiosOf, spreadOf } from "../statistics.ts";

/** Two ways to the same model, and what each takes to be let in. */
export interface ModelSite {
  readonly gatewayUrl: string;
  readonly modelUrl: string;
  /** A caller's token for the gateway. */
  readonly callerToken: () => Promise<string>;
  /** A step's token for the model service. */
  readonly modelToken: () => Promise<string>;
}

interface ChatSlice extends Slice {
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
  readonly generatorShare: number;
  readonly answers: readonly Omit<ChatTiming, "text">[];
}

const question = {
  model: "smollm2-135m-instruct",
  messages: [{ role: "user", content: "Explain in a few sentences what an event ledger is good for." }],
  temperature: 0,
  max_tokens: 96,
};

/** B13: a streamed answer through gateway, orchestrator, policy, identity and Temporal, and one from the model itself. */
export async function measureModelStream(
  site: ModelSite,
  plan: Plan,
  say: (line: string) => void,
): Promise<
  Measured & {
    readonly raw: {
      readonly question: unknown;
      readonly rounds: readonly Readonly<Record<"ours" | "direct", ChatSlice>>[];
    };
  }
> {
  const ways = {
    ours: { pool: new Pool(site.gatewayUrl), token: site.callerToken },
    direct: { pool: new Pool(site.modelUrl), token: site.modelToken },
  };
  const run = async (name: keyof typeof ways): Promise<ChatSlice> => {
    const { pool, token } = ways[name];
    const bearer = await token();
    // The model runs in a process that Ray's started: all that this run has started counts as ours.
    const cpuBefore = readOwnTree();
    const ownBefore = process.cpuUsage();
    const begin = performance.now();
    const answers: ChatTiming[] = [];
    for (let index = 0; index < plan.answers; index += 1) {
      answers.push(await streamChat(pool, bearer, question));
    }
    const seconds = (performance.now() - begin) / 1000;
    const cpu = cpuBetween(cpuBefore, readOwnTree());
    const own = process.cpuUsage(ownBefore);
    const generatorShare = (own.user + own.system) / 1_000_000 / seconds;
    const limit = generatorFault(generatorShare, plan.maxGeneratorShare);
    const slice: ChatSlice = {
      faults: limit === undefined ? [] : [limit],
      othersShare: cpu.othersShare,
      firstTokenMs: medianOf(answers.map(({ firstTokenMs }) => firstTokenMs)),
      tokensPerSecond: medianOf(answers.map(({ tokens, totalMs }) => (tokens * 1000) / totalMs)),
      generatorShare,
      answers: answers.map(({ text: _text, ...timing }) => timing),
    };
    say(
      `  ${name}: first token after ${slice.firstTokenMs.toFixed(0)} ms, ${slice.tokensPerSecond.toFixed(1)} tokens/s`,
    );
    return slice;
  };
  try {
    const names = ["ours", "direct"] as const;
    for (const name of names) await run(name);
    const { shown, faults } = await interleave(names, run, plan);
    const line = (
      what: string,
      unit: string,
      figure: (slice: ChatSlice) => number,
      target: NonNullable<Comparison["target"]>,
    ): Comparison => {
      const pairs = shown.map(({ ours, direct }): [number, number] => [figure(ours), figure(direct)]);
      return {
        id: "B13",
        what,
        unit,
        ours: spreadOf(pairs.map(([ours]) => ours)),
        other: { name: "the model itself", value: spreadOf(pairs.map(([, theirs]) => theirs)) },
        ratio: spreadOf(ratiosOf(pairs)),
        difference: spreadOf(pairs.map(([ours, theirs]) => ours - theirs)),
        target,
        pairs: pairs.length,
        generatorShare: Math.max(...shown.flatMap((round) => names.map((name) => round[name].generatorShare))),
        faults,
      };
    };
    return {
      comparisons: [
        line("first token of a streamed answer", "ms", (slice) => slice.firstTokenMs, { addsAtMost: 50 }),
        line("a streamed answer, whole", "tokens/s", (slice) => slice.tokensPerSecond, { atLeast: 0.9 }),
      ],
      raw: { question, rounds: shown },
    };
  } finally {
    await Promise.all(Object.values(ways).map(({ pool }) => pool.close()));
  }
}

function medianOf(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
