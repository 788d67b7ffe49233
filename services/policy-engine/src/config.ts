import { ports } from "@soma/contracts/wire-names";
import { readConfig } from "@soma/kit/config";
import { logLevels, type LogLevel } from "@soma/kit/logger";
import { Type } from "typebox";

export const Settings = Type.Object({
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: ports.policyEngine,
    description: "Port; 0 takes a free one",
  }),
  HOST: Type.String({ minLength: 1, default: "127.0.0.1", description: "Address to listen on" }),
  POLICY_DIR: Type.String({
    minLength: 1,
    default: "./infra/policy",
    description: "Directory of the rule packs, relative to the directory that the process was started in",
  }),
  LOG_LEVEL: Type.Unsafe<LogLevel>(
    Type.String({ enum: logLevels, default: "info", description: "Least level logged" }),
  ),
  DECISION_TTL_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 300,
    default: 60,
    description:
      "For how long an effect may rely on a decision; short, so that a changed pack reaches running sessions",
  }),
});
export type Settings = Type.Static<typeof Settings>;

/** @throws ConfigError naming the variable and what is accepted. */
export function readSettings(environment: Readonly<Record<string, string | undefined>> = process.env): Settings {
  return readConfig(Settings, environment);
}
