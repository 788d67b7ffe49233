import type { UsualPartName } from "../../scripts/stack/src/part.ts";

/** The real stack that the test run started, as the test files see it. */
export interface StackUnderTest {
  readonly urls: Readonly<Record<UsualPartName, string>>;
  readonly logFiles: Readonly<Record<UsualPartName, string>>;
  readonly credentialFile: string;
  /** Where the identity service keeps its keys. */
  readonly identityDataDir: string;
  /** Where the shared orchestrator keeps its ledger. */
  readonly orchestratorDataDir: string;
  /** Where the model service keeps its journal of effects. */
  readonly slmDataDir: string;
  readonly temporalDatabase: string;
  readonly temporalCli: string;
  /** A Python with the Temporal SDK: a client that shares no code with ours. */
  readonly python: string;
}

export const stackVariable = "SOMA_TEST_STACK";

/** @throws Error when the test was not started by the test run. */
export function stackUnderTest(): StackUnderTest {
  const given = process.env[stackVariable];
  if (given === undefined)
    throw new Error(`These tests need the running stack: run them with \`node scripts/run-tests.ts system\`.`);
  const stack: StackUnderTest = JSON.parse(given);
  return stack;
}
