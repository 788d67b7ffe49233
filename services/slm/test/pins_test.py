"""Small things that must not drift: the log's fields, control tokens of the real model, the last net for failures."""

import asyncio
import contextlib
import inspect
import io
import json
import unittest
from typing import Any

from soma_slm.engine_errors import engine_error
from soma_slm.gguf_control_tokens import read_control_tokens
from soma_slm.log_lines import log_line
from soma_slm.model_files import bundled_chat_model
from soma_slm.request_log import RequestLog

LOG_FIELDS = {
    "event", "level", "request_id", "route", "status", "duration_ms", "code", "finish_reason", "prompt_tokens",
    "completion_tokens", "url", "models", "seconds", "detail", "effect_key", "effect",
}  # fmt: skip


class LogTest(unittest.TestCase):
    def test_the_allow_list(self) -> None:
        self.assertEqual(set(inspect.signature(log_line).parameters), LOG_FIELDS)

    def test_a_request_id_of_odd_characters_is_left_out(self) -> None:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            log_line("request", request_id="a secret\nsentence")
            log_line("request", request_id="req-1")
        lines = [json.loads(line) for line in output.getvalue().splitlines()]
        self.assertEqual([line.get("request_id") for line in lines], [None, "req-1"])

    def test_an_unforeseen_failure_is_a_plain_500_and_logs_its_kind_only(self) -> None:
        async def failing(_scope: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401
            raise ZeroDivisionError("canary-90ab")

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        sent: list[Any] = []

        async def send(message: Any) -> None:  # noqa: ANN401
            sent.append(message)

        scope = {"type": "http", "path": "/v1/chat/completions", "headers": [(b"x-request-id", b"r1")]}
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            asyncio.run(RequestLog(failing)(scope, receive, send))
        self.assertEqual(sent[0]["status"], 500)
        self.assertEqual(json.loads(sent[1]["body"])["error"]["code"], "internal_error")
        self.assertIn("ZeroDivisionError", output.getvalue())
        self.assertNotIn("canary-90ab", output.getvalue() + str(sent))


class EngineTest(unittest.TestCase):
    def test_control_tokens_of_the_bundled_model(self) -> None:
        self.assertEqual(
            read_control_tokens(bundled_chat_model()), frozenset({"<|im_start|>", "<|im_end|>", "<|endoftext|>"})
        )

    def test_texts_of_the_engine_stay_inside(self) -> None:
        for error in (
            {"code": 400, "message": "canary-11d2", "type": "invalid_request_error"},
            {"code": 500, "message": "canary-11d2 /some/path", "type": "server_error"},
            {},
        ):
            self.assertNotIn("canary-11d2", str(engine_error(error).body()))


if __name__ == "__main__":
    unittest.main()
