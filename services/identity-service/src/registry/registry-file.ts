import { readFileSync, statSync } from "node:fs";
import { ConfigError } from "@soma/kit/config";
import { isNodeError } from "@soma/kit/secret-file";
import type { Logger } from "@soma/kit/logger";
import type { Gauge } from "@soma/kit/metrics";
import { parseRegistry, RegistryError, type Registry } from "./parse-registry.ts";

interface RegistryFileOptions {
  readonly path: string;
  readonly log: Logger;
  /** 1 while the file on disk is refused and an older version is in force. */
  readonly refused: Gauge;
  readonly totpProblem: (fileName: string) => string | undefined;
}

const maxBytes = 1_048_576;

/** The registry in force: that of the file, or the last good one while the file is not good. */
export class RegistryFile {
  readonly #options: RegistryFileOptions;
  #current: Registry;
  #text: string;
  #refusal: string | undefined;

  /** @throws ConfigError when the first version is not good: there is none to fall back to. */
  constructor(options: RegistryFileOptions) {
    this.#options = options;
    try {
      this.#text = readBounded(options.path);
      this.#current = this.#parse(this.#text);
    } catch (error) {
      throw error instanceof RegistryError ? new ConfigError(`REGISTRY_FILE is refused: ${error.message}`) : error;
    }
    options.refused.set(0);
    options.log.info({ file: options.path, version: this.#current.version }, "registry loaded");
  }

  current(): Registry {
    return this.#current;
  }

  /**
   * Takes over the file if it changed and is good. Comparing the text and not a watch or a time stamp: mounted
   * Kubernetes volumes change by a swapped link that both can miss.
   */
  reload(): void {
    const { log, path, refused } = this.#options;
    try {
      const text = readBounded(path);
      // While refused the text is tried again: what was missing may have been a secret beside it.
      if (text === this.#text && this.#refusal === undefined) return;
      const next = this.#parse(text);
      if (next.version !== this.#current.version) log.info({ file: path, version: next.version }, "registry loaded");
      this.#current = next;
      this.#text = text;
      this.#refusal = undefined;
      refused.set(0);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      refused.set(1);
      if (error.message !== this.#refusal)
        log.error(
          { file: path, line: error.line, reason: error.reason, version: this.#current.version },
          "registry refused; the version before stays in force",
        );
      this.#refusal = error.message;
    }
  }

  #parse(text: string): Registry {
    return parseRegistry(text, { file: this.#options.path, totpProblem: this.#options.totpProblem });
  }
}

function readBounded(path: string): string {
  try {
    if (statSync(path).size > maxBytes) throw new RegistryError(path, 1, `is over ${String(maxBytes)} bytes`);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isNodeError(error, "ENOENT")) throw new RegistryError(path, 1, "does not exist");
    if (isNodeError(error, "EACCES")) throw new RegistryError(path, 1, "cannot be read");
    throw error;
  }
}
