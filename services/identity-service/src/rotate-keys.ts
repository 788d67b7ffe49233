import { ConfigError } from "@soma/kit/config";
import { readSettings } from "./config.ts";
import { openKeyRing } from "./identity.ts";

/** Publishes a new signing key in DATA_DIR/keys; running instances take it over by themselves within 15 seconds. */
try {
  const keys = await openKeyRing(readSettings(), Date.now);
  const { kid, activatesAt } = await keys.rotate();
  process.stdout.write(`key ${kid} is published and signs from ${new Date(activatesAt * 1_000).toISOString()}\n`);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 78;
}
