"""Putting an engine's chunks together, and showing callers only the fields that belong to the API.

A chat's record is what stands in the journal: enough to give the same answer again, whole or as a stream.
"""

from typing import Any

from soma_slm.engine_errors import engine_failed

HEAD_FIELDS = ("id", "created", "model")
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

    @property
    def created(self) -> int:
        """The time of the first chunk, in seconds, which stands in all of them; the engine's own clock moves on."""
        return int(self._head["created"])

    def add(self, chunk: dict[str, Any]) -> None:
        """Take the next chunk."""
        self._head = self._head or chunk
        for choice in chunk.get("choices", []):
            self._texts.append(choice["delta"].get("content") or "")
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
        if chunk.get("usage"):
            self.usage = public_usage(chunk["usage"])

    def record(self) -> dict[str, Any]:
        """Return the finished answer; an engine that ended without its counts has failed, none are invented."""
        if self.usage is None or self.finish_reason is None:
            raise engine_failed()
        return {
            **{name: self._head[name] for name in HEAD_FIELDS},
            "pieces": [text for text in self._texts if text],
            "finish_reason": self.finish_reason,
            "usage": self.usage,
        }


def whole_answer(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as the answer to a request that wants no stream."""
    message = {"role": "assistant", "content": "".join(record["pieces"])}
    return {
        **{name: record[name] for name in HEAD_FIELDS},
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": record["finish_reason"]}],
        "usage": record["usage"],
    }


def recorded_chunks(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a record as the chunks that the engine gave."""
    head = {**{name: record[name] for name in HEAD_FIELDS}, "object": "chat.completion.chunk"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None}]
    deltas += [{"content": piece} for piece in record["pieces"]]
    chunks = [{**head, "choices": [{"delta": delta}]} for delta in deltas]
    chunks.append({**head, "choices": [{"delta": {}, "finish_reason": record["finish_reason"]}]})
    chunks.append({**head, "choices": [], "usage": record["usage"]})
    return chunks


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
