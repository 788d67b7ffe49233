"""Chat completions: one generation, answered whole or as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from soma_slm.admission import Admission
from soma_slm.chat_answer import ChatAnswer, public_chunk, public_usage, recorded_chunks, whole_answer
from soma_slm.chat_request import ChatRequest, engine_body
from soma_slm.effect_key import EffectKey
from soma_slm.effects import EffectReader, Effects
from soma_slm.generation import Chunk, EngineCall, Generation
from soma_slm.openai_errors import ApiError
from soma_slm.structured_output import check_output, output_schema


class Chat:
    """The use case behind POST /v1/chat/completions."""

    def __init__(
        self, call: EngineCall, admission: Admission, effects: Effects, max_tokens: int, repeat_penalty: float
    ) -> None:
        """Take the engine's chat call, the admission before it, the effects, and the service's own limits."""
        self._call = call
        self._admission = admission
        self._effects = effects
        self._max_tokens = max_tokens
        self._repeat_penalty = repeat_penalty

    async def answer(self, wanted: ChatRequest, key: EffectKey | None, request: Request) -> Response:
        """Return the HTTP answer of a generation, of one under way or of the record. The last caller to go stops it."""
        schema = output_schema(wanted.response_format)
        body = engine_body(wanted, self._max_tokens, self._repeat_penalty)

        async def generate(emit: Callable[[Chunk], None]) -> dict[str, Any]:
            return await self._generate(body, schema, emit)

        reader = self._effects.attach(key, generate, recorded_chunks, request)
        try:
            if not wanted.stream:
                record = await reader.outcome()
                _note(request, record["usage"], record["finish_reason"])
                return JSONResponse(whole_answer(record), headers=reader.headers())
            # The first chunk is awaited here: a bad request must become a status, not a stream of status 200.
            first = await anext(reader)
        except BaseException:
            reader.leave()
            raise
        usage_wanted = wanted.stream_options is not None and wanted.stream_options.include_usage
        return ClosingStream(_events(reader, first, request, include_usage=usage_wanted), reader)

    async def _generate(
        self, body: dict[str, Any], schema: dict[str, Any] | None, emit: Callable[[Chunk], None]
    ) -> dict[str, Any]:
        slot = await self._admission.enter()
        try:
            generation = Generation(self._call, body, slot.release)
        except BaseException:
            slot.release()
            raise
        answer = ChatAnswer()
        try:
            async for chunk in generation:
                answer.add(chunk)
                emit({**chunk, "created": answer.created})
        finally:
            generation.close()
        record = answer.record()
        if schema is not None:
            await asyncio.to_thread(check_output, schema, answer.text, answer.finish_reason, record["usage"])
        return record


class ClosingStream(StreamingResponse):
    """A stream that leaves its run however it ends, even when its first line was never asked for."""

    def __init__(self, events: AsyncIterator[str], reader: EffectReader) -> None:
        """Take the lines and the reader they come from."""
        headers = {"Cache-Control": "no-store", **reader.headers()}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, then let the run go."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._reader.leave()


async def _events(reader: EffectReader, first: Chunk, request: Request, *, include_usage: bool) -> AsyncIterator[str]:
    chunk: Chunk | None = first
    try:
        while chunk is not None:
            _note_chunk(request, chunk)
            if chunk.get("choices") or include_usage:
                yield _event(public_chunk(chunk, include_usage=include_usage))
            chunk = await anext(reader, None)
    except ApiError as error:
        request.state.code = error.code
        yield _event(error.body())  # the status is gone: clients read an `error` member as a failure
        return
    yield "data: [DONE]\n\n"


def _event(document: dict[str, Any]) -> str:
    return f"data: {json.dumps(document, separators=(',', ':'))}\n\n"


def _note_chunk(request: Request, chunk: Chunk) -> None:
    for choice in chunk.get("choices", []):
        if choice.get("finish_reason"):
            request.state.finish_reason = choice["finish_reason"]
    if chunk.get("usage"):
        request.state.usage = public_usage(chunk["usage"])


def _note(request: Request, usage: dict[str, Any], finish_reason: str) -> None:
    """Leave the counts for the log line; texts stay here."""
    request.state.usage = usage
    request.state.finish_reason = finish_reason
