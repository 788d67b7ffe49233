"""A scripted server that speaks /v1/tokens/verify, for failures only.

It proves that refusals refuse, never that a valid token is accepted: the whole-system tests show that, with the real
identity service.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """What the server does once."""

    body: bytes = b"{}"
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    wait_seconds: float = 0
    drip_seconds: float = 0


def answer_of(document: object) -> Answer:
    return Answer(json.dumps(document).encode())


@contextmanager
def scripted_identity(answer: Answer) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Run the server on a free port; yield its base URL and the list of (path, body) that it was asked."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, self.rfile.read(int(self.headers["content-length"])).decode()))
            time.sleep(answer.wait_seconds)
            try:
                self.send_response(answer.status)
                self.send_header("content-type", answer.content_type)
                self.send_header("content-length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for byte in answer.body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(answer.drip_seconds)
            except OSError:
                pass  # the service under test has hung up, which is what some scripts are for

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
