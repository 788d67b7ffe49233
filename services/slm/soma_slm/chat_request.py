"""The body of POST /v1/chat/completions: what is accepted, and what of it the engine is given."""

from typing import Annotated, Any, Literal

from pydantic import Field

from soma_slm.field_errors import Strict, parse_strict
from soma_slm.openai_errors import ApiError, bad_request
from soma_slm.structured_output import ResponseFormat, engine_grammar

# How far back the repeat penalty looks: a loop of small models is a sentence or a paragraph.
REPEAT_LAST_TOKENS = 256
StopText = Annotated[str, Field(min_length=1, max_length=64)]


class TextPart(Strict):
    """One part of a message; text is the only kind this service takes."""

    type: Literal["text"]
    text: str


class Message(Strict):
    """One turn of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[TextPart], Field(min_length=1, max_length=64)]

    def text(self) -> str:
        """Return the content as one text."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class StreamOptions(Strict):
    """Options of a stream."""

    include_usage: bool = False


class ChatRequest(Strict):
    """A checked request. Fields the engine knows beyond these never reach it."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=256)]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=0, le=4294967294)] | None = None
    stop: StopText | Annotated[list[StopText], Field(max_length=4)] | None = None
    n: Literal[1] | None = None
    user: Annotated[str, Field(max_length=256)] | None = None
    response_format: ResponseFormat | None = Field(default=None, discriminator="type")


def parse_chat_request(body: bytes, model_id: str, control_tokens: frozenset[str]) -> ChatRequest:
    """Return the checked request for this service's chat model, or raise the ApiError that says what is wrong."""
    request = parse_strict(ChatRequest, body)
    if request.model is not None and request.model != model_id:
        raise ApiError(404, "model_not_found", "there is no such chat model here", param="model")
    if request.stream_options is not None and not request.stream:
        raise bad_request("invalid_field", "stream_options: only allowed when stream is true", "stream_options")
    for index, message in enumerate(request.messages):
        text = message.text()
        # The engine reads these as the end of a turn or the start of another: a user's text could speak as system.
        if any(token in text for token in control_tokens):
            field = f"messages.{index}.content"
            raise bad_request("control_token", f"{field}: holds a control token of the model's chat template", field)
    return request


def engine_body(request: ChatRequest, max_tokens_limit: int, repeat_penalty: float) -> dict[str, Any]:
    """Return what the engine is asked. Always a stream, so that it can be stopped between two pieces of work.

    The repeat penalty is a default of free text: a caller that sends a penalty of its own has chosen, and a document
    of a schema repeats its punctuation and may repeat its values.
    """
    wanted = request.max_completion_tokens or request.max_tokens or max_tokens_limit
    body: dict[str, Any] = {
        "messages": [
            {"role": "system" if turn.role == "developer" else turn.role, "content": turn.text()}
            for turn in request.messages
        ],
        "max_tokens": min(wanted, max_tokens_limit),
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # calls back during a long prompt too, so that it can be stopped there
    }
    for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "stop"):
        value = getattr(request, name)
        if value is not None:
            body[name] = value
    grammar = engine_grammar(request.response_format)
    if grammar is not None:
        body["grammar"] = grammar
    elif request.presence_penalty is None and request.frequency_penalty is None:
        body["repeat_penalty"] = repeat_penalty
        body["repeat_last_n"] = REPEAT_LAST_TOKENS
    return body
