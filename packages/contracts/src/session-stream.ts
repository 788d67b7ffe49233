import { Type } from "typebox";

const closed = { additionalProperties: false } as const;

/** What a session's stream has between the events of its ledger; each is the name of a server-sent event. */
export const streamFrames = { delta: "delta", gap: "gap" } as const;

/**
 * A piece of a model step's text, undurable and without an `id`. The pieces of one attempt follow one another without gap;
 * a piece of a higher attempt begins the text anew at offset 0, and what came of a lower one does not count any more.
 */
export const Delta = Type.Object(
  {
    step: Type.String(),
    attempt: Type.Integer({ minimum: 1, description: "Grows whenever the step's text is begun anew; not by one" }),
    offset: Type.Integer({ minimum: 0, description: "Where in the text the piece is, in UTF-16 units" }),
    text: Type.String(),
  },
  closed,
);
export type Delta = Type.Static<typeof Delta>;

/** `delta_after`: how far a reader has come in the text of a running step, `<step>:<attempt>:<offset>`. */
export const deltaAfterPattern = "^[a-z0-9][a-z0-9._-]{0,63}:[1-9][0-9]{0,14}:(0|[1-9][0-9]{0,8})$";
