import { cliPage } from "./cli.ts";
import { configurationPage } from "./configuration.ts";
import { errorCodesPage } from "./error-codes.ts";
import { eventsPage } from "./events.ts";
import { metricsPage } from "./metrics.ts";
import { openaiPage } from "./openai.ts";
import { openapiDocuments } from "./openapi.ts";
import { sessionStatesPage } from "./session-states.ts";

/** The generated files of docs/reference, by their path in it. The same code gives the same bytes. */
export async function buildReference(): Promise<Map<string, string>> {
  const files = new Map([
    ["cli.md", cliPage()],
    ["configuration.md", configurationPage()],
    ["error-codes.md", errorCodesPage()],
    ["events.md", eventsPage()],
    ["metrics.md", await metricsPage()],
    ["openai.md", openaiPage()],
    ["session-states.md", sessionStatesPage()],
  ]);
  for (const [service, document] of await openapiDocuments()) files.set(`openapi/${service}.json`, document);
  return files;
}
