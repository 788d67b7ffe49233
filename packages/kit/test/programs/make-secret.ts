import { randomBytes } from "node:crypto";
import { readOrCreateSecretFile } from "../../src/secret-file.ts";

/** Waits until the moment given, so that several of these begin at once, and prints the secret that it got. */
const [path = "", startAtMs = "0"] = process.argv.slice(2);
while (Date.now() < Number(startAtMs));
process.stdout.write(readOrCreateSecretFile(path, () => randomBytes(32)).toString("hex"));
