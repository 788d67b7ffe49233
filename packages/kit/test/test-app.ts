import { createMetrics } from "../src/metrics.ts";
import { buildServer, type Missing } from "../src/server.ts";
import { createTestLog } from "./log-lines.ts";

/** The shipped builder with a log that the test reads; closed with the test. */
export async function buildTestApp(options: { missing?: () => readonly Missing[] } = {}) {
  const logged = createTestLog();
  const metrics = createMetrics("things");
  const app = await buildServer({
    service: "things",
    version: "7.1.0",
    description: "Things",
    log: logged.log,
    metrics,
    missing: options.missing ?? (() => []),
    bodyLimitBytes: 1_000,
  });
  const refusals = async (code: string): Promise<number> =>
    (await metrics.requestsRefused.get()).values.find(({ labels }) => labels.code === code)?.value ?? 0;
  return { app, metrics, refusals, ...logged, [Symbol.asyncDispose]: () => app.close() };
}
