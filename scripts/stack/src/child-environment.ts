import { compileCache } from "./layout.ts";

/**
 * Variables of the user's that a part may see. Not all of them: a proxy setting would come between the parts, a
 * forgotten RAY_ADDRESS or TEMPORAL_NAMESPACE would make this stack another one than its state file says.
 */
const inherited = [
  "HOME",
  "LANG",
  "LC_ALL",
  "LOGNAME",
  "NODE_EXTRA_CA_CERTS",
  "PATH",
  "SSL_CERT_DIR",
  "SSL_CERT_FILE",
  "TMPDIR",
  "TZ",
  "USER",
];

/** The inherited variables, the given ones, and what makes starting cheap. */
export function childEnvironment(settings: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...compileCache, ...settings };
}
