"""Bodies of requests: what passes, what the engine is given, and how each bad field is named."""

import json
import unittest
from typing import Any

from soma_slm.chat_request import engine_body, parse_chat_request
from soma_slm.embeddings import parse_embeddings_request
from soma_slm.openai_errors import ApiError

CONTROL = frozenset({"<|im_start|>", "<|im_end|>"})
TURN = {"role": "user", "content": "hello"}
# Field named by the answer → what is put into an otherwise good body.
BAD_CHAT: list[tuple[str | None, dict[str, Any]]] = [
    ("messages", {"messages": []}),
    ("messages", {"messages": "hello"}),
    ("messages.0.role", {"messages": [{"role": "alien", "content": "x"}]}),
    ("messages.0.content", {"messages": [{"role": "user", "content": 3}]}),
    ("messages.0.content", {"messages": [{"role": "user"}]}),
    ("messages.0.content", {"messages": [{"role": "user", "content": "a<|im_end|>b"}]}),
    ("messages.0.name", {"messages": [{**TURN, "name": "x"}]}),
    ("max_tokens", {"max_tokens": "5"}),
    ("max_tokens", {"max_tokens": 0}),
    ("max_tokens", {"max_tokens": 1.5}),
    ("temperature", {"temperature": 3}),
    ("temperature", {"temperature": "0"}),
    ("top_p", {"top_p": 0}),
    ("seed", {"seed": -1}),
    ("n", {"n": 2}),
    ("stream", {"stream": "yes"}),
    ("stream_options", {"stream_options": {"include_usage": True}}),
    ("stop", {"stop": ["a"] * 5}),
    ("tools", {"tools": [{"type": "function"}]}),
    ("tool_choice", {"tool_choice": "auto"}),
    ("grammar", {"grammar": "root ::= x"}),
    ("response_format", {"response_format": {"type": "yaml"}}),
    ("response_format.json_schema", {"response_format": {"type": "json_schema"}}),
    ("response_format.json_schema.schema", {"response_format": {"type": "json_schema", "json_schema": {"schema": 1}}}),
]


def parse(change: dict[str, Any]) -> Any:  # noqa: ANN401
    return parse_chat_request(json.dumps({"messages": [TURN], **change}).encode(), "m", CONTROL)


class ChatRequestTest(unittest.TestCase):
    def test_each_bad_field_is_named(self) -> None:
        for field, change in BAD_CHAT:
            with self.subTest(change=str(change)[:80]), self.assertRaises(ApiError) as caught:
                parse(change)
            self.assertEqual((caught.exception.status, caught.exception.param), (400, field))

    def test_what_is_not_json(self) -> None:
        for body in (b"", b"{", b"[]", b"null", b'{"messages":[{"role":"user","content":"\\ud800"}]}', b"\xff"):
            with self.subTest(body=body), self.assertRaises(ApiError) as caught:
                parse_chat_request(body, "m", CONTROL)
            self.assertEqual(caught.exception.status, 400)

    def test_no_value_of_the_caller_is_repeated(self) -> None:
        with self.assertRaises(ApiError) as caught:
            parse({"temperature": "canary-51c0"})
        self.assertNotIn("canary-51c0", str(caught.exception.body()))

    def test_unknown_model(self) -> None:
        with self.assertRaises(ApiError) as caught:
            parse({"model": "gpt-x"})
        self.assertEqual((caught.exception.status, caught.exception.code), (404, "model_not_found"))

    def test_the_engine_gets_what_was_asked_and_a_bounded_length(self) -> None:
        body = engine_body(parse({"max_tokens": 9000, "temperature": 0, "stop": "END", "user": "u1"}), 100, 1.1)
        self.assertEqual(body["max_tokens"], 100)
        self.assertEqual((body["temperature"], body["stop"], body["stream"]), (0, "END", True))
        self.assertNotIn("user", body)
        self.assertEqual(engine_body(parse({}), 100, 1.1)["max_tokens"], 100)
        self.assertEqual(engine_body(parse({"max_completion_tokens": 7}), 100, 1.1)["max_tokens"], 7)

    def test_the_repeat_penalty_is_a_default_of_free_text(self) -> None:
        def penalty(change: dict[str, Any]) -> object:
            return engine_body(parse(change), 100, 1.1).get("repeat_penalty")

        self.assertEqual(penalty({}), 1.1)
        self.assertIsNone(penalty({"frequency_penalty": 0.5}))
        self.assertIsNone(penalty({"presence_penalty": 0}))
        self.assertIsNone(penalty({"response_format": {"type": "json_object"}}))

    def test_text_parts_are_joined_before_the_check(self) -> None:
        parts = [{"type": "text", "text": "<|im_"}, {"type": "text", "text": "end|>"}]
        with self.assertRaises(ApiError) as caught:
            parse({"messages": [{"role": "user", "content": parts}]})
        self.assertEqual(caught.exception.code, "control_token")

    def test_developer_is_the_system_role(self) -> None:
        turns = engine_body(parse({"messages": [{"role": "developer", "content": "x"}, TURN]}), 10, 1.1)["messages"]
        self.assertEqual([turn["role"] for turn in turns], ["system", "user"])


class EmbeddingsRequestTest(unittest.TestCase):
    def test_bad_inputs(self) -> None:
        for change in ({"input": []}, {"input": ""}, {"input": [1, 2]}, {"input": ["a"] * 65}, {"input": None}, {}):
            with self.subTest(change=str(change)[:60]), self.assertRaises(ApiError) as caught:
                parse_embeddings_request(json.dumps(change).encode(), "e")
            self.assertEqual(caught.exception.status, 400)
            self.assertTrue(str(caught.exception.param).startswith("input"))

    def test_unknown_model(self) -> None:
        with self.assertRaises(ApiError) as caught:
            parse_embeddings_request(b'{"input":"a","model":"m"}', "e")
        self.assertEqual(caught.exception.status, 404)


if __name__ == "__main__":
    unittest.main()
