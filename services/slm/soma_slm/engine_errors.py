"""One translator decides what a caller may see of the engine's errors."""

from typing import Any

from soma_slm.openai_errors import ApiError, bad_request


def engine_error(error: dict[str, Any]) -> ApiError:
    """Return the public form of an engine's error document; its own text stays inside."""
    if error.get("type") == "exceed_context_size_error":
        found, limit = error.get("n_prompt_tokens"), error.get("n_ctx")
        return bad_request("context_length_exceeded", f"messages: {found} tokens, this model takes {limit}", "messages")
    if "too large to process" in str(error.get("message")):
        return bad_request("context_length_exceeded", "input: a text is longer than 512 tokens: split it", "input")
    if error.get("code") == 400:  # noqa: PLR2004 - the engine's own status
        return bad_request("engine_refused", "the model's engine refused this request")
    return engine_failed()


def engine_failed() -> ApiError:
    """Return the 500 for everything that the engine does not explain."""
    return ApiError(500, "engine_failed", "the model's engine failed on this request")
