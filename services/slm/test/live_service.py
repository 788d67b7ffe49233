"""Talking to the running service under test over real HTTP, with the standard library alone."""

import http.client
import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

CHAT = "/v1/chat/completions"
JSON_TYPE = {"content-type": "application/json"}
# A document that takes hundreds of tokens, whatever the model would like to say.
LONG_SCHEMA = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99999}, "minItems": 300}


@dataclass(frozen=True)
class Reply:
    """One whole answer."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def document(self) -> Any:  # noqa: ANN401 - a JSON value
        return json.loads(self.raw)

    @property
    def events(self) -> list[Any]:
        lines = [line.removeprefix("data: ") for line in self.raw.decode().splitlines() if line]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]


def test_address() -> tuple[str, int]:
    """Return the host and port of SLM_TEST_URL; without it the run ends here."""
    url = os.environ.get("SLM_TEST_URL")
    if not url:
        sys.exit("SLM_TEST_URL is unset: start the service (README.md) and give its base URL, http://127.0.0.1:8000")
    parts = urlsplit(url)
    return str(parts.hostname), parts.port or 80


def token_header() -> dict[str, str]:
    """Return the header of SLM_TEST_TOKEN, for a service that asks the identity service about its callers."""
    token = os.environ.get("SLM_TEST_TOKEN")
    return {"authorization": f"Bearer {token}"} if token else {}


def send(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:  # noqa: ANN401
    """Send one request on its own connection; a body that is not bytes goes as JSON."""
    connection = http.client.HTTPConnection(*test_address(), timeout=120)
    try:
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, raw, {**token_header(), **(JSON_TYPE if headers is None else headers)})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, found, answer.read())
    finally:
        connection.close()


def chat(text: str, **more: Any) -> Reply:  # noqa: ANN401
    return send("POST", CHAT, {"messages": [{"role": "user", "content": text}], **more})


def json_format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def health() -> dict[str, Any]:
    reply = send("GET", "/health")
    if reply.status != 200:
        raise AssertionError(f"/health is {reply.status}")
    return dict(reply.document)


def wait_for_load(running: int, waiting: int, seconds: float) -> float:
    """Wait until exactly so many chat requests run and wait; return how long it took, in seconds."""
    began = time.monotonic()
    while True:
        load = health()["chat"]
        if (load["running"], load["waiting"]) == (running, waiting):
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise AssertionError(f"after {seconds} s the load is {load}, not {running} running, {waiting} waiting")
        time.sleep(0.02)


class OpenRequest:
    """A long request whose answer is not awaited: its client can go away."""

    def __init__(
        self,
        *,
        stream: bool,
        text: str = "Give me numbers.",
        key: str | None = None,
        schema: dict[str, Any] | None = None,
    ) -> None:
        """Send the request and return at once."""
        document = {
            "messages": [{"role": "user", "content": text}],
            "stream": stream,
            "max_tokens": 1000,
            "response_format": json_format(schema or LONG_SCHEMA),
        }
        body = json.dumps(document).encode()
        host, port = test_address()
        self.socket = socket.create_connection((host, port), timeout=60)
        headers = {**token_header(), **({"idempotency-key": key} if key else {})}
        extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {CHAT} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n{extra}"
        self.socket.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

    def wait_for_first_byte(self) -> None:
        if not self.socket.recv(1):
            raise AssertionError("the service closed the connection")

    def read_all(self) -> bytes:
        """Return what is left of the answer, to its last chunk."""
        answer = b""
        while not answer.endswith(b"0\r\n\r\n"):
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError("the service cut the answer")
            answer += piece
        return answer

    def close(self) -> None:
        """Go away without a word."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
