import { startLimits } from "@soma/contracts/session";
import type { Logger } from "@soma/kit/logger";
import { buildServer, type Server } from "@soma/kit/server";
import type { Settings } from "./config.ts";
import { DecisionMemory } from "./decision-memory.ts";
import { createEngineMetrics } from "./metrics.ts";
import { PackStore } from "./packs/pack-store.ts";
import { watchDirectory } from "./packs/watch-directory.ts";
import { addEvaluateRoute } from "./routes/evaluate.ts";
import { addPacksRoute } from "./routes/packs.ts";

interface AppDependencies {
  readonly settings: Pick<Settings, "POLICY_DIR" | "DECISION_TTL_SECONDS">;
  readonly log: Logger;
  readonly now?: () => Date;
  /** How soon after a change, and how often in any case, the packs are read again, in milliseconds. */
  readonly reload?: { readonly debounceMs: number; readonly pollMs: number };
}

// A prompt of 102,400 characters can take six bytes each as JSON, and the orchestrator adds fields to what it got.
const bodyLimitBytes = 1_048_576;

/** The policy engine with its packs read and watched; nothing listens yet. `close` ends the watch too. */
export async function buildApp({ settings, log, now = () => new Date(), reload }: AppDependencies): Promise<Server> {
  const metrics = createEngineMetrics();
  const store = new PackStore({ directory: settings.POLICY_DIR, log, metrics, now });
  const app = await buildServer({
    service: "policy-engine",
    version: "0.1.0",
    description: "Decides each action of an agent before it happens, by the platform's rules and the tenant's pack.",
    log,
    metrics,
    missing: () => (store.isReadable() ? [] : [{ name: "pack directory", address: settings.POLICY_DIR }]),
    bodyLimitBytes,
    // The limit is that of metadata, which stands one level down here.
    maxDepth: startLimits.depth + 1,
  });
  addEvaluateRoute(app, {
    store,
    memory: new DecisionMemory(),
    log,
    metrics,
    decisionTtlSeconds: settings.DECISION_TTL_SECONDS,
    now,
  });
  addPacksRoute(app, store);
  // Watched before it is read, so that a change in between is not missed.
  const watch = watchDirectory({ directory: settings.POLICY_DIR, onChange: () => store.scan(), ...reload });
  app.addHook("onClose", () => watch.close());
  await store.scan();
  return app;
}
