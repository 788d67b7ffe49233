"""Keys and outcomes for tests of the journal and of what is built on it."""

import json
from typing import Any

from starlette.requests import Request

from soma_slm.chat_request import ChatRequest, parse_chat_request
from soma_slm.effect_key import Caller, EffectKey, read_effect_key

CALLER = Caller("tenant-a", "user-a", "sess-a", "step-1")
CANARY = "canary-4be1"
MIB = 1024 * 1024


def http_request(*keys: str) -> Request:
    headers = [(b"idempotency-key", key.encode("latin-1")) for key in keys]
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/v1/chat/completions",
            "headers": headers,
            "query_string": b"",
            "state": {},
        }
    )


def chat_request(**change: Any) -> ChatRequest:  # noqa: ANN401
    body = {"messages": [{"role": "user", "content": CANARY}], **change}
    return parse_chat_request(json.dumps(body).encode(), "m", frozenset())


def key_of(text: str, caller: Caller = CALLER, **change: Any) -> EffectKey:  # noqa: ANN401
    key = read_effect_key(http_request(text), caller, chat_request(**change))
    if key is None:
        raise AssertionError("no key was read")
    return key


def record_of(text: str = CANARY) -> dict[str, Any]:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {"id": "c1", "created": 1, "model": "m", "pieces": [text, "!"], "finish_reason": "stop", "usage": usage}
