"""Chat completions: one generation, answered whole or as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from soma_slm.admission import Admission
from soma_slm.chat_answer import ChatAnswer, public_chunk
from soma_slm.chat_request import ChatRequest, engine_body
from soma_slm.generation import EngineCall, Generation
from soma_slm.openai_errors import ApiError
from soma_slm.structured_output import check_output, output_schema


class Chat:
    """The use case behind POST /v1/chat/completions."""

    def __init__(self, call: EngineCall, admission: Admission, max_tokens: int) -> None:
        """Take the engine's chat call, the admission before it and the service's own token limit."""
        self._call = call
        self._admission = admission
        self._max_tokens = max_tokens

    async def answer(self, wanted: ChatRequest, request: Request) -> Response:
        """Run the generation and return the HTTP answer. A cancelled caller stops the engine."""
        schema = output_schema(wanted.response_format)
        body = engine_body(wanted, self._max_tokens)
        slot = await self._admission.enter()
        try:
            generation = Generation(self._call, body, slot.release)
        except BaseException:
            slot.release()
            raise
        try:
            if not wanted.stream:
                return JSONResponse(await _collect(generation, schema, request))
            # The first chunk is awaited here: a bad request must become a status, not a stream of status 200.
            first = await anext(generation)
        except BaseException:
            generation.close()
            raise
        usage_wanted = wanted.stream_options is not None and wanted.stream_options.include_usage
        return ClosingStream(_events(generation, first, schema, request, include_usage=usage_wanted), generation)


class ClosingStream(StreamingResponse):
    """A stream that stops its generation however it ends, even when its first line was never asked for."""

    def __init__(self, events: AsyncIterator[str], generation: Generation) -> None:
        """Take the lines and the generation they come from."""
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._generation = generation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, then let the engine go."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._generation.close()


async def _collect(generation: Generation, schema: dict[str, Any] | None, request: Request) -> dict[str, Any]:
    answer = ChatAnswer()
    async for chunk in generation:
        answer.add(chunk)
    document = answer.document()
    _note(request, answer)
    if schema is not None:
        await asyncio.to_thread(check_output, schema, answer.text, answer.finish_reason, document["usage"])
    return document


async def _events(
    generation: Generation,
    first: dict[str, Any],
    schema: dict[str, Any] | None,
    request: Request,
    *,
    include_usage: bool,
) -> AsyncIterator[str]:
    answer = ChatAnswer()
    try:
        answer.add(first)
        yield _event(public_chunk(first, include_usage=include_usage))
        async for chunk in generation:
            answer.add(chunk)
            if chunk.get("choices") or include_usage:
                yield _event(public_chunk(chunk, include_usage=include_usage))
        document = answer.document()
        _note(request, answer)
        if schema is not None:
            await asyncio.to_thread(check_output, schema, answer.text, answer.finish_reason, document["usage"])
    except ApiError as error:
        request.state.code = error.code
        yield _event(error.body())  # the status is gone: clients read an `error` member as a failure
        return
    yield "data: [DONE]\n\n"


def _event(document: dict[str, Any]) -> str:
    return f"data: {json.dumps(document, separators=(',', ':'))}\n\n"


def _note(request: Request, answer: ChatAnswer) -> None:
    """Leave the counts for the log line; texts stay here."""
    request.state.usage = answer.usage
    request.state.finish_reason = answer.finish_reason
