/** API keys, and what looks like a token of three parts. */
const secrets = /soma_[A-Za-z0-9_-]+|[\w-]{8,}\.[\w-]{8,}\.[\w-]+/g;

/** A message about a command line in which somebody may have put a secret: it is not shown again. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(secrets, "(secret)");
}
