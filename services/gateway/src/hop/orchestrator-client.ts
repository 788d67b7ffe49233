import type { AccessReports } from "@soma/contracts/access";
import { TenantAdmission } from "@soma/contracts/tenant";
import { hopHeader } from "@soma/contracts/wire-names";
import { Upstream, UpstreamError, type UpstreamAnswer } from "@soma/kit/upstream";
import { Value } from "typebox/value";
import type { SignHop } from "./hop-signer.ts";

const deadlineMs = 500;
/** The document is made when somebody first asks for it. */
const documentDeadlineMs = 5_000;

/** What the gateway itself asks of the orchestrator, as nobody but itself: with a hop token and no caller's. */
export class OrchestratorClient {
  readonly #upstream: Upstream;
  readonly #sign: SignHop;

  constructor(origin: string, sign: SignHop) {
    this.#upstream = new Upstream({ name: "orchestrator", origin, deadlineMs, maxBytes: 8_388_608 });
    this.#sign = sign;
  }

  /** Undefined for a tenant that the orchestrator has no settings of. @throws UpstreamError */
  async admissionOf(tenant: string): Promise<TenantAdmission | undefined> {
    const answer = await this.#get(`/v1/tenants/${encodeURIComponent(tenant)}/admission`);
    if (answer.status === 404) return undefined;
    assertOk(answer, 200);
    if (Value.Check(TenantAdmission, answer.body) && answer.body.tenant === tenant) return answer.body;
    throw new UpstreamError("orchestrator", "bad_response", "an admission that does not fit the contract");
  }

  /** Resolves when the reports are in the ledgers. @throws UpstreamError */
  async report(reports: AccessReports): Promise<void> {
    const path = "/v1/access-reports";
    const token = await this.#sign({ method: "POST", path, body: JSON.stringify(reports) });
    assertOk(await this.#upstream.postJson(path, reports, { headers: { [hopHeader]: token } }), 204);
  }

  /** The OpenAPI document of the orchestrator's own routes. @throws UpstreamError */
  async document(): Promise<unknown> {
    const answer = await this.#get("/openapi.json", documentDeadlineMs);
    assertOk(answer, 200);
    return answer.body;
  }

  async checkHealth(signal: AbortSignal): Promise<void> {
    const { status } = await this.#upstream.getJson("/health", { signal });
    if (status !== 200) throw new Error(`/health answered ${String(status)}`);
  }

  close(): Promise<void> {
    return this.#upstream.close();
  }

  async #get(path: string, withinMs = deadlineMs): Promise<UpstreamAnswer> {
    const token = await this.#sign({ method: "GET", path, body: "" });
    return this.#upstream.getJson(path, { headers: { [hopHeader]: token }, deadlineMs: withinMs });
  }
}

function assertOk(answer: UpstreamAnswer, expected: number): void {
  if (answer.status === expected) return;
  throw new UpstreamError("orchestrator", "bad_response", `status ${String(answer.status)}`);
}
