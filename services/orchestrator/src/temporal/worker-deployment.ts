import { setTimeout as sleep } from "node:timers/promises";
import { isGrpcServiceError, type Client } from "@temporalio/client";
import { sha256 } from "@soma/kit/digest";
import type { TemporalLink } from "./temporal-link.ts";

/**
 * Which code a worker runs, as Temporal knows it. A session stays with the version that it began on; new sessions go
 * to the deployment's current version.
 */
export interface WorkerVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

const deadlineMs = 5_000;
const retryMs = 1_000;
/**
 * gRPC's codes for "not yet": a version is registered by its first polls, which may not have arrived (NOT_FOUND,
 * FAILED_PRECONDITION), and Temporal may be away for a moment (DEADLINE_EXCEEDED, UNAVAILABLE).
 */
const notYet: ReadonlySet<number> = new Set([4, 5, 9, 14]);

/** The name of a build that was given none: the same workflow code has the same name. */
export function buildIdOf(version: string, workflowCode: string): string {
  return `${version}-${sha256(workflowCode).slice("sha256:".length, "sha256:".length + 12)}`;
}

/**
 * Makes a version the current one of a deployment that has none, and leaves a deployment that has one alone: an old
 * worker that is restarted must not take new sessions back. Waits until the version's polls have arrived.
 *
 * @returns the build that is current
 */
export async function claimDeployment(
  link: TemporalLink,
  namespace: string,
  version: WorkerVersion,
  signal: AbortSignal,
): Promise<string> {
  return untilRegistered(signal, async () => {
    const current = await link.call(deadlineMs, (client) => currentBuild(client, namespace, version));
    if (current !== undefined) return current;
    await promoteVersion(link, namespace, version, signal);
    return version.buildId;
  });
}

/**
 * Makes a version current: new sessions go to it from now on. Waits until its polls have arrived.
 *
 * @throws the last error of Temporal, or that of the signal
 */
export function promoteVersion(
  link: TemporalLink,
  namespace: string,
  { deploymentName, buildId }: WorkerVersion,
  signal: AbortSignal,
): Promise<void> {
  return untilRegistered(signal, async () => {
    await link.call(deadlineMs, ({ workflowService }) =>
      workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName, buildId, identity: "soma" }),
    );
  });
}

async function currentBuild(
  { workflowService }: Client,
  namespace: string,
  { deploymentName }: WorkerVersion,
): Promise<string | undefined> {
  const { workerDeploymentInfo } = await workflowService.describeWorkerDeployment({ namespace, deploymentName });
  const buildId = workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? "";
  return buildId === "" ? undefined : buildId;
}

async function untilRegistered<Result>(signal: AbortSignal, ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isGrpcServiceError(error) || !notYet.has(error.code) || signal.aborted) throw error;
    }
    await sleep(retryMs, undefined, { signal });
  }
}
