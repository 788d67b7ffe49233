import { buildServer, type Server } from "@soma/kit/server";
import manifest from "../package.json" with { type: "json" };
import type { MemoryParts } from "./memory-gateway.ts";
import { addMemoryRoutes } from "./routes/memory-routes.ts";
import { addSubjectRoutes } from "./routes/subject-routes.ts";

// A value of 100 KiB can take six bytes a character as JSON, and metadata stands beside it.
const bodyLimitBytes = 786_432;

/** The memory gateway's HTTP; nothing listens yet. */
export async function buildApp(parts: MemoryParts): Promise<Server> {
  const { log, metrics, watch } = parts;
  const app = await buildServer({
    service: "memory-gateway",
    version: manifest.version,
    description: "What is remembered of a user: stored encrypted, found by meaning, exported and erased.",
    log,
    metrics,
    // Recalling by key, exporting and erasing need no vectors: without the model service it serves those.
    missing: () => watch.missing().map(({ name, address }) => ({ name, address, required: name !== "slm" })),
    bearer: true,
    bodyLimitBytes,
    // Metadata stands one level down.
    maxDepth: 9,
  });
  addMemoryRoutes(app, parts);
  addSubjectRoutes(app, parts);
  return app;
}
