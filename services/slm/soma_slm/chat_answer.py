"""Putting an engine's chunks together, and showing callers only the fields that belong to the API."""

from typing import Any

from soma_slm.engine_errors import engine_failed

USAGE_FIELDS = ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details")


class ChatAnswer:
    """The answer so far."""

    def __init__(self) -> None:
        """Begin empty."""
        self.finish_reason: str | None = None
        self.usage: dict[str, Any] | None = None
        self._head: dict[str, Any] = {}
        self._texts: list[str] = []

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._texts)

    def add(self, chunk: dict[str, Any]) -> None:
        """Take the next chunk."""
        self._head = self._head or chunk
        for choice in chunk.get("choices", []):
            self._texts.append(choice["delta"].get("content") or "")
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
        if chunk.get("usage"):
            self.usage = public_usage(chunk["usage"])

    def document(self) -> dict[str, Any]:
        """Return the whole answer; an engine that ended without its counts has failed, none are invented."""
        if self.usage is None or self.finish_reason is None:
            raise engine_failed()
        message = {"role": "assistant", "content": self.text}
        return {
            "id": self._head["id"],
            "object": "chat.completion",
            "created": self._head["created"],
            "model": self._head["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason}],
            "usage": self.usage,
        }


def public_chunk(chunk: dict[str, Any], *, include_usage: bool) -> dict[str, Any]:
    """Return a chunk of the stream without the engine's timings and fingerprints."""
    shown = {name: chunk[name] for name in ("id", "object", "created", "model")}
    shown["choices"] = [
        {"index": 0, "delta": choice["delta"], "finish_reason": choice.get("finish_reason")}
        for choice in chunk.get("choices", [])
    ]
    if include_usage:
        shown["usage"] = public_usage(chunk["usage"]) if chunk.get("usage") else None
    return shown


def public_usage(usage: dict[str, Any]) -> dict[str, Any]:
    """Return the engine's counts under the API's names."""
    return {name: usage[name] for name in USAGE_FIELDS if name in usage}
