import { DefaultFailureConverter, type PayloadConverter, type ProtoFailure } from "@temporalio/common";
import type { SerializationContext } from "@temporalio/common";

/** Marks a payload that holds a failure's message and stack; the codec may withhold it and must not withhold a result. */
export const failureMark = "soma-failure";

/**
 * Puts message and stack of failures into a payload, where the codec encrypts them. The type stays as it is: it is one
 * of our codes, and retry policies read it.
 */
class EncodedFailureConverter extends DefaultFailureConverter {
  constructor() {
    super({ encodeCommonAttributes: true });
  }

  override errorToFailure(error: unknown, converter: PayloadConverter, context?: SerializationContext): ProtoFailure {
    const failure = super.errorToFailure(error, converter, context);
    const { encodedAttributes } = failure;
    if (encodedAttributes)
      encodedAttributes.metadata = { ...encodedAttributes.metadata, [failureMark]: Uint8Array.of() };
    return failure;
  }
}

/** Temporal finds it under this name, in the process and in the sandbox of workflows. */
export const failureConverter = new EncodedFailureConverter();
