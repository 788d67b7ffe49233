"""Drives the OpenAI-compatible face with the Python SDK and prints what it saw as JSON. The test judges.

python drive.py <url> <model>, the key on standard input.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import examples
import openai
from openai import OpenAI


def main() -> None:
    """Run every scene."""
    url, model = sys.argv[1:3]
    key = sys.stdin.read().strip()
    client = examples.connect(url, key)
    answer = examples.chat(client, model)
    seen: dict[str, Any] = {
        "chat": answer.model_dump(),
        "chat_stream": chat_stream(client, model),
        "response": client.responses.create(model=model, input="Say yes.", max_output_tokens=8).model_dump(),
        "response_stream": response_stream(client, model),
        "read_on": examples.read_on(client, model),
        "canceled": canceled(client, model),
        "models": [entry.id for entry in client.models.list()],
        "model": client.models.retrieve(model).model_dump(),
        "errors": errors(url, key, model),
    }
    sys.stdout.write(json.dumps(seen))


def chat_stream(client: OpenAI, model: str) -> dict[str, Any]:
    """Return the pieces of a streamed chat, its id, and the usage."""
    pieces: list[str] = []
    ids: set[str] = set()
    usage = finish_reason = None
    for chunk in client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Write two short lines."}],
        max_tokens=60,
        stream=True,
        stream_options={"include_usage": True},
    ):
        ids.add(chunk.id)
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            finish_reason = choice.finish_reason or finish_reason
        if chunk.usage is not None:
            usage = chunk.usage.model_dump()
    return {"ids": sorted(ids), "pieces": pieces, "usage": usage, "finish_reason": finish_reason}


def response_stream(client: OpenAI, model: str) -> dict[str, Any]:
    """Return what the SDK's own accumulating helper made of a stream."""
    types: list[str] = []
    text, final = "", None
    with client.responses.stream(model=model, input="Say no.", max_output_tokens=12) as stream:
        for event in stream:
            types.append(event.type)
            if event.type == "response.output_text.delta":
                text += event.delta
            # Cut at its limit a response is incomplete, and the helper's get_final_response knows completed ones only.
            if event.type in {"response.completed", "response.incomplete"}:
                final = event.response.model_dump()
    return {"types": types, "text": text, "final": final}


def canceled(client: OpenAI, model: str) -> str | None:
    """Return the status of a response that was canceled."""
    begun = client.responses.create(model=model, input="Tell a very long story.", background=True)
    client.responses.cancel(begun.id)
    for _ in client.responses.retrieve(begun.id, stream=True):
        pass
    return client.responses.retrieve(begun.id).status


def errors(url: str, key: str, model: str) -> dict[str, Any]:
    """Return the exceptions that refusals become."""
    hello = [{"role": "user", "content": "hi"}]
    client = examples.connect(url, key)

    def chat(using: OpenAI = client, **more: object) -> Callable[[], Any]:
        return lambda: using.chat.completions.create(**{"model": model, "messages": hello, **more})

    return {
        "bad_key": thrown(chat(examples.connect(url, "sk-nonsense"))),
        "unknown_model": thrown(chat(model="no-such-model")),
        "unsupported": thrown(chat(n=2)),
        "denied": thrown(chat(messages=[{"role": "user", "content": sys.argv[3]}, *hello])),
        "not_found": thrown(lambda: client.responses.retrieve("resp_nobody")),
    }


def thrown(call: Callable[[], Any]) -> dict[str, Any]:
    """Return the class, status, code and parameter of the exception."""
    try:
        call()
    except openai.APIStatusError as error:
        kind = type(error).__name__
        return {"kind": kind, "status": error.status_code, "code": error.code, "param": error.param}
    return {"kind": None}


if __name__ == "__main__":
    main()
