import type { GovernedAction, Permit, SealedToken } from "@soma/contracts/permit";
import { sha256 } from "@soma/kit/digest";
import type { StepMeter } from "../../src/budgets/step-meter.ts";
import { mintStepToken } from "../../src/activities/mint-step-token.ts";
import type { performEffect } from "../../src/activities/perform-effect.ts";
import { newContent } from "../../src/ledger/content.ts";
import { decide } from "../../src/permits/decide.ts";
import { sealToken } from "../../src/permits/token-seal.ts";
import type { ActivityWorld } from "../harness/activity-world.ts";

/** The first half of a step, done for real: what the second half is handed. */
export interface PreparedStep {
  readonly permit: Permit;
  readonly action: GovernedAction;
  readonly sealed: SealedToken;
  readonly token: string;
}

/** Decides by the real engine and takes a token of the real identity service, as the workflow's first activities do. */
export async function prepareStep(
  world: ActivityWorld,
  step: string,
  round = 1,
  meter?: StepMeter,
): Promise<PreparedStep> {
  const { deps } = world;
  const never = new AbortController().signal;
  const row = await world.row();
  const governed: GovernedAction = {
    action: "model.complete",
    resource: "model:default",
    arguments: { prompt_digest: row.prompt_digest },
  };
  const proposal = { step, round, action: governed.action, resource: governed.resource, governed };
  const outcome = await decide(
    deps,
    row,
    { ...proposal, prompt: "kick off a demo", metadata: {}, ...(meter && { meter }) },
    never,
  );
  if (!("permit" in outcome)) throw new Error("the step is not allowed");
  const { permit, action } = outcome;
  const { minted, issued } = await mintStepToken(deps, {
    row,
    permit,
    action,
    audience: "somagent-slm",
    renewal: 0,
    signal: never,
  });
  const { token } = minted;
  const sealed = {
    jti: issued.jti,
    expires_at: issued.expires_at,
    scopes: issued.scopes,
    sealed: sealToken(deps.keys.seal, token, permit.effect_key),
  };
  return { permit, action, sealed, token };
}

type Effect = Parameters<typeof performEffect<string>>[4];
type Call = Parameters<Effect["perform"]>[0];

/** An effect that the test scripts: counts its calls, and does what it is told before it answers with a text. */
export function scriptedEffect(
  during: (call: Call, count: number) => Promise<void> | void = () => undefined,
  name = "answer",
): Effect & { readonly calls: Call[]; readonly recalled: unknown[] } {
  const calls: Call[] = [];
  const recalled: unknown[] = [];
  return {
    outcome: "effect.completed",
    target: "slm",
    calls,
    recalled,
    async perform(call) {
      calls.push(call);
      await during(call, calls.length);
      const text = `${name} ${String(calls.length)}`;
      return {
        result: text,
        type: "effect.completed",
        data: {
          step: call.permit.step,
          effect_key: call.permit.effect_key,
          result_digest: sha256(text),
          model: "small",
          finish_reason: "stop",
          usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
        },
        contents: [newContent(call.row, "text/plain; charset=utf-8", text)],
      };
    },
    recall(_row, data) {
      recalled.push(data);
      return Promise.resolve("recalled");
    },
  };
}
