import type { ServiceMetrics } from "@soma/kit/metrics";
import { buildServer, type Missing, type Server } from "@soma/kit/server";
import { version } from "../version.ts";
import { addCodecRoutes, type CodecDeps } from "./codec-routes.ts";
import { allowOneOrigin } from "./one-origin.ts";

interface CodecAppOptions extends Omit<CodecDeps, "metrics"> {
  readonly metrics: ServiceMetrics;
  readonly codecMetrics: CodecDeps["metrics"];
  /** The one page that browsers may call from; none unless given. */
  readonly uiOrigin: string | undefined;
  readonly missing: () => readonly Missing[];
}

/** A page of the longest history that Temporal's UI asks about at once. */
const bodyLimitBytes = 16_777_216;

/** The codec server's HTTP; nothing listens yet. */
export async function buildCodecApp({ codecMetrics, uiOrigin, ...options }: CodecAppOptions): Promise<Server> {
  const app = await buildServer({
    service: "orchestrator-codec",
    version,
    description: "Decrypts payloads of sessions for Temporal's UI and CLI.",
    log: options.log,
    metrics: options.metrics,
    missing: options.missing,
    bearer: true,
    bodyLimitBytes,
  });
  allowOneOrigin(app, uiOrigin);
  addCodecRoutes(app, { ...options, metrics: codecMetrics });
  return app;
}
