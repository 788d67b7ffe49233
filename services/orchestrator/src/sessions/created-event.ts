import { defaultAgent, type AuthenticationKind } from "@soma/contracts/wire-names";
import { canonicalJson } from "@soma/kit/digest";
import type { TokenLineage } from "../access/principal.ts";
import { newContent, type NewContent } from "../ledger/content.ts";
import type { SessionCreated } from "../ledger/ledger.ts";
import { capsuleOf, labelsOf, type SessionInput } from "./session-input.ts";
import { promptText } from "./session-prompt.ts";

interface Origin {
  readonly role: string;
  readonly authn: AuthenticationKind;
  readonly taskQueue: string;
  readonly token?: TokenLineage | undefined;
}

/** The first event of a session and the texts that it names. */
export function createdEvent(
  session: SessionInput,
  origin: Origin,
): { created: SessionCreated; contents: NewContent[] } {
  const { text, mediaType, format } = promptText(session);
  const prompt = newContent(session, mediaType, text);
  const metadata = newContent(session, "application/json", canonicalJson(session.metadata));
  const capsule = capsuleOf(session.metadata);
  const created: SessionCreated = {
    type: "session.created",
    key: "session.created",
    tenant: session.tenant,
    session_id: session.session_id,
    user: session.user,
    agent: defaultAgent,
    authn: origin.authn,
    data: {
      role: origin.role,
      prompt_digest: prompt.digest,
      ...(format !== undefined && { prompt_format: format }),
      metadata_digest: metadata.digest,
      ...(session.model !== undefined && { model: session.model }),
      labels: labelsOf(session.metadata),
      ...(capsule !== undefined && { capsule }),
      task_queue: origin.taskQueue,
      ...(session.mode !== undefined && { mode: session.mode }),
      ...(session.idle_seconds !== undefined && { idle_seconds: session.idle_seconds }),
      ...(session.budget !== undefined && { budget: session.budget }),
      ...(origin.token && { token_jti: origin.token.jti }),
      ...(origin.token && origin.token.origins.length > 0 && { token_origins: [...origin.token.origins] }),
    },
  };
  return { created, contents: [prompt, metadata] };
}
