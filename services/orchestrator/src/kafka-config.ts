import { readFileSync } from "node:fs";
import { ConfigError } from "@soma/kit/config";
import { readSecretFile } from "@soma/kit/secret-file";
import { Type } from "typebox";

const protocols = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] as const;
type Protocol = (typeof protocols)[number];
const mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
type Mechanism = (typeof mechanisms)[number];

const defaultPort = 9092;

/** The settings of Kafka; a part of the orchestrator's. The names of the protocols are Kafka's own. */
export const kafkaSettings = {
  KAFKA_BOOTSTRAP_SERVERS: Type.Optional(
    Type.String({
      pattern: "^[^\\s,:/@]+(:\\d{1,5})?(,[^\\s,:/@]+(:\\d{1,5})?)*$",
      // Somebody may have put a password in.
      writeOnly: true,
      accepted: "host or host:port, several with commas between",
      description:
        "Brokers that get every event of the ledger, in the topic `agent.audit`. Unset: events wait in the ledger, and are delivered once brokers are named.",
    }),
  ),
  KAFKA_SECURITY_PROTOCOL: Type.Optional(
    Type.Unsafe<Protocol>(
      Type.String({ enum: protocols, description: "How brokers are spoken to. Unset: `PLAINTEXT`." }),
    ),
  ),
  KAFKA_SASL_MECHANISM: Type.Optional(
    Type.Unsafe<Mechanism>(
      Type.String({
        enum: mechanisms,
        description: "How the orchestrator logs in, with `SASL_PLAINTEXT` or `SASL_SSL`.",
      }),
    ),
  ),
  KAFKA_SASL_USERNAME: Type.Optional(Type.String({ description: "User of that login." })),
  KAFKA_SASL_PASSWORD_FILE: Type.Optional(
    Type.String({ description: "File with the password of that login; only its owner may read it." }),
  ),
  KAFKA_SSL_CA_FILE: Type.Optional(
    Type.String({
      description:
        "PEM file of the authorities that brokers' certificates come from, with `SSL` or `SASL_SSL`. Unset: those that Node trusts.",
    }),
  ),
  KAFKA_SSL_CERT_FILE: Type.Optional(
    Type.String({ description: "PEM file of the certificate that the orchestrator shows to brokers; needs the key." }),
  ),
  KAFKA_SSL_KEY_FILE: Type.Optional(
    Type.String({ description: "PEM file of that certificate's private key; only its owner may read it." }),
  ),
  AUDIT_BACKLOG_MAX: Type.Integer({
    default: 1_000_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description:
      "While as many events wait for Kafka, no session starts (`AUDIT_BACKLOG_FULL`); in force when brokers are named.",
  }),
};

const KafkaSettings = Type.Object(kafkaSettings);
type Settings = Type.Static<typeof KafkaSettings>;
type Variable = keyof Settings;

/** How the brokers are reached. `password` and `key` are secrets. */
export interface KafkaConfig {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  /** For people. */
  readonly address: string;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: { readonly mechanism: Mechanism; readonly username: string; readonly password: string };
  /** So many events may wait before starts are refused. */
  readonly backlogMax: number;
}

const saslVariables = ["KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD_FILE"] as const;
const tlsVariables = ["KAFKA_SSL_CA_FILE", "KAFKA_SSL_CERT_FILE", "KAFKA_SSL_KEY_FILE"] as const;

/**
 * Undefined when no brokers are named.
 *
 * @throws ConfigError for settings that say different things, and for a file that cannot be used
 */
export function readKafkaConfig(settings: Settings): KafkaConfig | undefined {
  const { KAFKA_BOOTSTRAP_SERVERS: servers, KAFKA_SECURITY_PROTOCOL: protocol = "PLAINTEXT" } = settings;
  if (servers === undefined) {
    for (const name of ["KAFKA_SECURITY_PROTOCOL", ...saslVariables, ...tlsVariables] as const)
      if (settings[name] !== undefined) throw refuse(name, "set", "unset while KAFKA_BOOTSTRAP_SERVERS is not set");
    return undefined;
  }
  const brokers = servers.split(",").map((server) => readServer(server));
  const sasl = protocol.startsWith("SASL_") ? readSasl(settings) : refuseAll(settings, saslVariables, protocol);
  const tls = protocol.endsWith("SSL") ? readTls(settings) : refuseAll(settings, tlsVariables, protocol);
  return {
    brokers,
    address: brokers.join(","),
    ...(tls !== undefined && { tls }),
    ...(sasl !== undefined && { sasl }),
    backlogMax: settings.AUDIT_BACKLOG_MAX,
  };
}

function readServer(server: string): string {
  const [host = "", port = String(defaultPort)] = server.split(":");
  if (Number(port) < 1 || Number(port) > 65_535)
    throw refuse("KAFKA_BOOTSTRAP_SERVERS", JSON.stringify(server), "a port from 1 to 65535");
  return `${host}:${port}`;
}

function readSasl(settings: Settings): NonNullable<KafkaConfig["sasl"]> {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD_FILE: file } = settings;
  if (mechanism === undefined) throw missing("KAFKA_SASL_MECHANISM", settings, mechanisms.join(", "));
  if (username === undefined) throw missing("KAFKA_SASL_USERNAME", settings, "a user of the brokers");
  if (file === undefined) throw missing("KAFKA_SASL_PASSWORD_FILE", settings, "a file with that user's password");
  const password = read("KAFKA_SASL_PASSWORD_FILE", () => readSecretFile(file).toString("utf8").trim());
  if (password === "") throw refuse("KAFKA_SASL_PASSWORD_FILE", JSON.stringify(file), "a file that is not empty");
  return { mechanism, username, password };
}

function readTls(settings: Settings): NonNullable<KafkaConfig["tls"]> {
  const { KAFKA_SSL_CA_FILE: ca, KAFKA_SSL_CERT_FILE: cert, KAFKA_SSL_KEY_FILE: key } = settings;
  if (cert !== undefined && key === undefined) throw missing("KAFKA_SSL_KEY_FILE", settings, "the certificate's key");
  if (key !== undefined && cert === undefined) throw missing("KAFKA_SSL_CERT_FILE", settings, "the key's certificate");
  return {
    ...(ca !== undefined && { ca: read("KAFKA_SSL_CA_FILE", () => readFileSync(ca, "utf8")) }),
    ...(cert !== undefined && { cert: read("KAFKA_SSL_CERT_FILE", () => readFileSync(cert, "utf8")) }),
    ...(key !== undefined && { key: read("KAFKA_SSL_KEY_FILE", () => readSecretFile(key).toString("utf8")) }),
  };
}

/** A setting that another one makes useless would be a promise that nobody keeps. */
function refuseAll(settings: Settings, names: readonly Variable[], protocol: Protocol): undefined {
  for (const name of names)
    if (settings[name] !== undefined) throw refuse(name, "set", `unset while KAFKA_SECURITY_PROTOCOL is ${protocol}`);
}

function read(variable: Variable, readFile: () => string): string {
  try {
    return readFile();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${variable} is a file that cannot be used (${reason}); accepted: a file that can be read`);
  }
}

function missing(variable: Variable, settings: Settings, accepted: string): ConfigError {
  const protocol = settings.KAFKA_SECURITY_PROTOCOL ?? "PLAINTEXT";
  return refuse(variable, `not set while KAFKA_SECURITY_PROTOCOL is ${protocol}`, accepted);
}

function refuse(variable: Variable, found: string, accepted: string): ConfigError {
  return new ConfigError(`${variable} is ${found}; accepted: ${accepted}`);
}
