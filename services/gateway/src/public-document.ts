import { DomainError } from "@soma/kit/domain-error";
import { fieldOf } from "./admission/visit.ts";
import { routeTable } from "./route-table.ts";

const keptMs = 30_000;

type Document = Record<string, unknown>;

/**
 * The public API as OpenAPI: what the orchestrator itself says of its routes, as far as they have a row in the route
 * table, with the gateway's own description of the routes that are the identity service's. Never of another version
 * than the one that answers.
 */
export class PublicDocument {
  readonly #ask: () => Promise<unknown>;
  #document: Document | undefined;
  #merged: Document | undefined;
  #askedAt = -Infinity;

  /** `ask` gives the orchestrator's document. */
  constructor(ask: () => Promise<unknown>) {
    this.#ask = ask;
  }

  /** Asks again when the last answer is old; never fails. To be awaited by whoever needs it now. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#askedAt < keptMs && this.#document !== undefined) return;
    this.#askedAt = performance.now();
    try {
      const answer = await this.#ask();
      if (isDocument(answer)) {
        this.#document = answer;
        this.#merged = undefined;
      }
    } catch {
      // The dependency watch says that it is away; what it said last is shown on.
    }
  }

  /**
   * The same object until there is another one to show. `own`: the gateway's document of itself.
   *
   * @throws DomainError while the orchestrator has never answered.
   */
  merge(own: object): Document {
    this.#merged ??= this.#merge(own);
    return this.#merged;
  }

  #merge(own: object): Document {
    if (this.#document === undefined)
      throw new DomainError("ORCHESTRATOR_UNAVAILABLE", "The orchestrator has not described its API yet; try again.");
    const theirs = fieldOf(this.#document, "paths");
    const ours = fieldOf(own, "paths");
    const paths: Document = {};
    for (const { method, path, to } of routeTable) {
      const name = path.replaceAll(/:(\w+)/g, "{$1}");
      const operation = fieldOf(fieldOf(to === "orchestrator" ? theirs : ours, name), method.toLowerCase());
      if (operation !== undefined) paths[name] = { ...Object(paths[name]), [method.toLowerCase()]: operation };
    }
    const info = { ...Object(fieldOf(this.#document, "info")), title: "Soma" };
    const components = Object(fieldOf(this.#document, "components"));
    const schemas = { ...schemasOf(own), ...schemasOf(this.#document) };
    return { ...this.#document, info, servers: [{ url: "/" }], components: { ...components, schemas }, paths };
  }
}

function schemasOf(document: object): object {
  return Object(fieldOf(fieldOf(document, "components"), "schemas"));
}

function isDocument(value: unknown): value is Document {
  return typeof fieldOf(value, "paths") === "object";
}
