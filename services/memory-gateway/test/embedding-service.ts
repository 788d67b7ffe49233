import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const python = join(root, ".soma/slm/bin/python");
const model = join(root, ".soma/models/all-minilm-l6-v2.f16.gguf");

/** For `skip`: false, or why there are no vectors here. */
export const embeddingsMissing: string | false =
  existsSync(python) && existsSync(model) ? false : "the model service is not set up: run make setup";

export interface EmbeddingService extends AsyncDisposable {
  readonly url: string;
}

/** The real embeddings of the model service, whose access is judged by this identity service; without Ray around them. */
export async function startEmbeddingService(identityUrl: string): Promise<EmbeddingService> {
  const child = spawn(python, ["-m", "test.embedding_service", identityUrl.replace(/\/$/, ""), model], {
    cwd: join(root, "services/slm"),
    stdio: ["ignore", "pipe", "inherit"],
  });
  // A test that ends the process must not leave it behind.
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const first: unknown[] = await Promise.race([once(lines, "line"), exited]);
  const [url] = first;
  if (typeof url !== "string") throw new Error("the embedding service did not start");
  return {
    url,
    async [Symbol.asyncDispose]() {
      process.off("exit", kill);
      child.kill("SIGTERM");
      await exited;
    },
  };
}
