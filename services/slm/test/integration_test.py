"""The running service over real HTTP: answers, refusals, load and clients that go away.

`SLM_TEST_URL=http://127.0.0.1:8000 python -m unittest test.integration_test`, against a service that was started
with SLM_EMBED_GGUF, without IDENTITY_SERVICE_URL, and that nobody else uses meanwhile.
"""

import json
import os
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from soma_slm.journal import list_generations
from test.live_service import CHAT, JSON_TYPE, OpenRequest, Reply, chat, health, json_format, send, wait_for_load
from test.live_service import test_address as address_under_test

TURN = {"role": "user", "content": "hello"}
PERSON = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 120}, "mood": {"enum": ["good", "bad"]}},
    "required": ["age", "mood"],
    "additionalProperties": False,
}
BAD_REQUESTS: list[tuple[str, int, str, Any]] = [
    ("not JSON", 400, "invalid_json", b"{"),
    ("no messages", 400, "invalid_field", {"messages": []}),
    ("wrong type", 400, "invalid_field", {"messages": [TURN], "max_tokens": "5"}),
    ("tools", 400, "unsupported_field", {"messages": [TURN], "tools": [{"type": "function"}]}),
    ("unknown field", 400, "unsupported_field", {"messages": [TURN], "id_slot": 1}),
    ("control token", 400, "control_token", {"messages": [{"role": "user", "content": "a<|im_end|>"}]}),
    ("long prompt", 400, "context_length_exceeded", {"messages": [{"role": "user", "content": "hi " * 9000}]}),
    ("unknown model", 404, "model_not_found", {"messages": [TURN], "model": "other"}),
    ("bad schema", 400, "unsupported_schema", {"messages": [TURN], "response_format": json_format({"not": {}})}),
    ("large body", 413, "body_too_large", {"messages": [{"role": "user", "content": "x" * 300_000}]}),
]


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None) -> unittest.TestSuite:
    """Leave these out of discovery; asked for by name they need their server."""
    if pattern is not None:
        return loader.suiteClass()
    address_under_test()
    return tests


class AnswerTest(unittest.TestCase):
    def test_a_stream_says_what_the_whole_answer_says(self) -> None:
        asked = {"temperature": 0, "max_tokens": 40}
        whole = chat("Name three colours.", **asked).document
        reply = chat("Name three colours.", **asked, stream=True, stream_options={"include_usage": True})
        self.assertEqual(reply.headers["content-type"].split(";")[0], "text/event-stream")
        *chunks, usage_chunk, done = reply.events
        self.assertEqual(done, "[DONE]")
        text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
        choice = whole["choices"][0]
        self.assertEqual(text, choice["message"]["content"])
        self.assertEqual(chunks[-1]["choices"][0]["finish_reason"], choice["finish_reason"])
        self.assertEqual(usage_chunk["choices"], [])
        for count in ("prompt_tokens", "completion_tokens", "total_tokens"):
            self.assertEqual(usage_chunk["usage"][count], whole["usage"][count])

    def test_usage_is_counted(self) -> None:
        short = chat("hi", temperature=0, max_tokens=3).document
        self.assertEqual((short["usage"]["completion_tokens"], short["choices"][0]["finish_reason"]), (3, "length"))
        longer = chat("hi " * 101, temperature=0, max_tokens=3).document["usage"]
        # "hi" repeated: at least one token more for each of the hundred more words.
        self.assertGreaterEqual(longer["prompt_tokens"] - short["usage"]["prompt_tokens"], 100)
        self.assertEqual(longer["total_tokens"], longer["prompt_tokens"] + longer["completion_tokens"])

    def test_usage_in_a_stream_only_when_asked(self) -> None:
        for event in chat("hi", max_tokens=2, stream=True).events[:-1]:
            self.assertNotIn("usage", event)
            self.assertEqual(len(event["choices"]), 1)

    def test_the_same_seed_gives_the_same_text(self) -> None:
        texts = {
            chat("Tell a joke.", seed=7, temperature=1, max_tokens=20).document["choices"][0]["message"]["content"]
            for _ in range(3)
        }
        self.assertEqual(len(texts), 1)

    def test_stop(self) -> None:
        reply = chat("Count from one to ten.", temperature=0, max_tokens=60, stop=["\n", "."]).document
        self.assertNotIn(".", reply["choices"][0]["message"]["content"])

    def test_request_id_is_echoed(self) -> None:
        reply = send("GET", "/v1/models", headers={"x-request-id": "req-42"})
        self.assertEqual((reply.status, reply.headers["x-request-id"]), (200, "req-42"))

    def test_models_are_those_of_health(self) -> None:
        listed = [model["id"] for model in send("GET", "/v1/models").document["data"]]
        self.assertEqual(listed, health()["models"])
        self.assertEqual(chat("hi", max_tokens=1, model=listed[0]).document["model"], listed[0])


class StructuredOutputTest(unittest.TestCase):
    def check_person(self, text: str) -> None:
        person = json.loads(text)
        self.assertEqual(set(person), {"age", "mood"})
        self.assertIn(person["mood"], ("good", "bad"))
        self.assertTrue(0 <= person["age"] <= 120)

    def test_whole_answer(self) -> None:
        for seed in range(5):
            reply = chat("Describe Ada.", seed=seed, temperature=1.2, response_format=json_format(PERSON))
            self.assertEqual(reply.status, 200, reply.raw)
            self.check_person(reply.document["choices"][0]["message"]["content"])

    def test_stream(self) -> None:
        events = chat("Describe Ada.", stream=True, response_format=json_format(PERSON)).events
        self.assertEqual(events[-1], "[DONE]")
        self.check_person("".join(event["choices"][0]["delta"].get("content") or "" for event in events[:-1]))

    def test_each_accepted_format_is_enforced(self) -> None:
        forms = {
            "date": r"^\d{4}-\d\d-\d\d$",
            "time": r"^\d\d:\d\d:\d\d",
            "date-time": r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d",
            "email": r"^[^@]+@[^@]+$",
            "hostname": r"^[A-Za-z0-9.-]+$",
            "ipv4": r"^\d+\.\d+\.\d+\.\d+$",
            "ipv6": r"^[0-9a-fA-F:.]+$",
            "uuid": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        }
        for form, expected in forms.items():
            with self.subTest(form):
                schema = json_format({"type": "string", "format": form, "maxLength": 60})
                reply = chat("Answer.", temperature=0, max_tokens=200, response_format=schema)
                if reply.status == 422:
                    self.assertEqual(reply.document["error"]["code"], "structured_output_truncated")
                    continue
                self.assertEqual(reply.status, 200, reply.raw)
                self.assertRegex(json.loads(reply.document["choices"][0]["message"]["content"]), expected)

    def test_a_cut_document_is_no_answer(self) -> None:
        asked = {"max_tokens": 3, "response_format": json_format(PERSON)}
        reply = chat("Describe Ada.", **asked)
        self.assertEqual((reply.status, reply.document["error"]["code"]), (422, "structured_output_truncated"))
        self.assertEqual(reply.document["usage"]["completion_tokens"], 3)
        last = chat("Describe Ada.", **asked, stream=True).events[-1]
        self.assertEqual(last["error"]["code"], "structured_output_truncated")


class EmbeddingsTest(unittest.TestCase):
    def test_nearest_neighbours(self) -> None:
        pairs = {
            "How do I reset my password?": "Steps to recover access to your account",
            "The cat sleeps on the sofa": "A kitten is napping on a couch",
            "Interest rates rose again": "The central bank tightened monetary policy",
            "It will rain tomorrow": "Wet weather is forecast for the coming day",
        }
        reply = send("POST", "/v1/embeddings", {"input": [*pairs, *pairs.values()]}).document
        vectors = [item["embedding"] for item in sorted(reply["data"], key=lambda item: item["index"])]
        questions, answers = vectors[: len(pairs)], vectors[len(pairs) :]
        for number, question in enumerate(questions):
            self.assertEqual(len(question), 384)
            likeness = [sum(a * b for a, b in zip(question, answer, strict=True)) for answer in answers]
            self.assertEqual(likeness.index(max(likeness)), number)
        self.assertGreater(reply["usage"]["prompt_tokens"], 2 * len(vectors))
        self.assertEqual(reply["usage"]["prompt_tokens"], reply["usage"]["total_tokens"])

    def test_refusals(self) -> None:
        cases: list[tuple[dict[str, Any], int, str]] = [
            ({"input": []}, 400, "invalid_field"),
            ({"input": [1]}, 400, "invalid_field"),
            ({"input": "word " * 600}, 400, "context_length_exceeded"),
            ({"input": "a", "model": "other"}, 404, "model_not_found"),
            ({"input": "a", "dimensions": 8}, 400, "unsupported_field"),
        ]
        for body, status, code in cases:
            with self.subTest(str(body)[:40]):
                reply = send("POST", "/v1/embeddings", body)
                self.assertEqual((reply.status, reply.document["error"]["code"]), (status, code))


class RefusalTest(unittest.TestCase):
    def test_bad_requests(self) -> None:
        for name, status, code, body in BAD_REQUESTS:
            for stream in (False, True):
                sent = {**body, "stream": stream} if isinstance(body, dict) else body
                with self.subTest(name, stream=stream):
                    reply = send("POST", CHAT, sent)
                    self.assertEqual((reply.status, reply.document["error"]["code"]), (status, code))
                    self.assertEqual(set(reply.document["error"]), {"message", "type", "param", "code"})
                    self.assertNotRegex(reply.raw.decode(), r"Traceback|\.py|\.gguf|json\.exception|/")

    def test_other_paths_methods_and_types(self) -> None:
        self.assertEqual(send("GET", "/docs").document["error"]["code"], "not_found")
        self.assertEqual(send("GET", CHAT).status, 405)
        plain = send("POST", CHAT, {"messages": [TURN]}, {"content-type": "text/plain"})
        self.assertEqual((plain.status, plain.document["error"]["code"]), (415, "unsupported_media_type"))

    def test_a_large_body_without_a_length(self) -> None:
        chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
        reply = send("POST", CHAT, chunk * 80 + b"0\r\n\r\n", {**JSON_TYPE, "transfer-encoding": "chunked"})
        self.assertEqual((reply.status, reply.document["error"]["code"]), (413, "body_too_large"))


class EffectKeyTest(unittest.TestCase):
    """Real generations, counted in the service's own record when SLM_TEST_DATA_DIR says where that is."""

    def setUp(self) -> None:
        self.key = f"test-{uuid4()}"
        self.headers = {**JSON_TYPE, "idempotency-key": self.key}

    def ask(self, text: str, **more: Any) -> Reply:  # noqa: ANN401
        return send("POST", CHAT, {"messages": [{"role": "user", "content": text}], **more}, self.headers)

    def check_generations(self, expected: int) -> None:
        folder = os.environ.get("SLM_TEST_DATA_DIR")
        if folder is not None:
            name = f"sha256:{sha256(self.key.encode()).hexdigest()}"
            found = [line for line in list_generations(Path(folder)) if line["effect_key"] == name]
            self.assertEqual(len(found), expected)

    def test_the_answer_is_replayed_whole_and_as_a_stream(self) -> None:
        first = self.ask("Tell a joke.", max_tokens=20)
        self.assertNotIn("idempotency-replayed", first.headers)
        again = self.ask("Tell a joke.", max_tokens=10)  # a limit is not what is asked
        self.assertEqual(again.headers["idempotency-replayed"], "true")
        self.assertEqual(again.document, first.document)
        stream = self.ask("Tell a joke.", stream=True, stream_options={"include_usage": True})
        self.assertEqual(stream.headers["idempotency-replayed"], "true")
        *chunks, usage_chunk, done = stream.events
        text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
        choice = first.document["choices"][0]
        self.assertEqual((text, done), (choice["message"]["content"], "[DONE]"))
        self.assertEqual(chunks[-1]["choices"][0]["finish_reason"], choice["finish_reason"])
        self.assertEqual(usage_chunk["usage"], first.document["usage"])
        self.check_generations(1)

    def test_a_replayed_stream_is_the_stream_that_was(self) -> None:
        asked = {"max_tokens": 20, "stream": True, "stream_options": {"include_usage": True}}
        self.assertEqual(self.ask("Tell a joke.", **asked).raw, self.ask("Tell a joke.", **asked).raw)
        self.check_generations(1)

    def test_another_body_is_refused(self) -> None:
        self.ask("Tell a joke.", max_tokens=2)
        for stream in (False, True):
            reply = self.ask("Tell two jokes.", max_tokens=2, stream=stream)
            self.assertEqual((reply.status, reply.document["error"]["code"]), (422, "idempotency_key_reused"))
        self.check_generations(1)

    def test_callers_at_once_share_one_generation(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: self.ask("Write a story.", max_tokens=60), range(4)))
        self.assertEqual([reply.status for reply in replies], [200] * 4)
        self.assertEqual(len({reply.raw for reply in replies}), 1)
        words = sorted(name for reply in replies for name in reply.headers if name.startswith("idempotency-"))
        self.assertEqual(len(words), 3, words)
        self.check_generations(1)

    def test_a_generation_whose_caller_goes_away_is_no_outcome(self) -> None:
        wait_for_load(0, 0, 15)
        with OpenRequest(stream=True, key=self.key) as opened:
            opened.wait_for_first_byte()
        wait_for_load(0, 0, 3)
        self.check_generations(0)
        # Another body: nothing is left of the one that was canceled.
        self.assertEqual(self.ask("Tell a joke.", max_tokens=2).status, 200)
        self.check_generations(1)

    def test_a_joined_caller_keeps_the_generation_alive(self) -> None:
        wait_for_load(0, 0, 15)
        forty = {"type": "array", "items": {"type": "integer", "maximum": 9}, "minItems": 40, "maxItems": 40}
        with OpenRequest(stream=True, key=self.key, schema=forty) as first:
            first.wait_for_first_byte()
            with OpenRequest(stream=True, key=self.key, schema=forty) as second:
                second.wait_for_first_byte()
                first.close()
                answer = second.read_all()
        self.assertTrue(b"idempotency-joined: true" in answer.lower(), "it did not join")
        self.assertTrue(b"data: [DONE]" in answer, "it did not end")
        self.check_generations(1)

    def test_embeddings(self) -> None:
        first = send("POST", "/v1/embeddings", {"input": "a"}, self.headers)
        again = send("POST", "/v1/embeddings", {"input": "a"}, self.headers)
        self.assertEqual((again.document, again.headers["idempotency-replayed"]), (first.document, "true"))
        other = send("POST", "/v1/embeddings", {"input": "b"}, self.headers)
        self.assertEqual(other.document["error"]["code"], "idempotency_key_reused")
        self.check_generations(1)

    def test_a_header_that_is_no_key(self) -> None:
        reply = send("POST", CHAT, {"messages": [TURN]}, {**JSON_TYPE, "idempotency-key": "a b"})
        self.assertEqual((reply.status, reply.document["error"]["code"]), (400, "invalid_idempotency_key"))


class LoadTest(unittest.TestCase):
    def setUp(self) -> None:
        wait_for_load(0, 0, 15)

    def test_a_client_that_goes_away_frees_its_slot(self) -> None:
        for stream in (True, False):
            with self.subTest(stream=stream), OpenRequest(stream=stream) as opened:
                if stream:
                    opened.wait_for_first_byte()
                wait_for_load(1, 0, 5)
                opened.close()
                wait_for_load(0, 0, 3)

    def test_a_client_that_goes_away_during_a_long_prompt(self) -> None:
        for stream in (True, False):
            with self.subTest(stream=stream):
                opened = OpenRequest(stream=stream, text="The river runs past the old mill. " * 180 + str(stream))
                wait_for_load(1, 0, 5)
                opened.close()
                wait_for_load(0, 0, 4)

    def test_full_is_503_with_retry_after_and_then_recovers(self) -> None:
        load = health()["chat"]
        with ExitStack() as clients:
            for _ in range(load["slots"]):
                clients.enter_context(OpenRequest(stream=True))
            wait_for_load(load["slots"], 0, 10)
            waiting = [clients.enter_context(OpenRequest(stream=False)) for _ in range(load["queue"])]
            wait_for_load(load["slots"], load["queue"], 10)
            for stream in (False, True):
                reply = chat("hi", stream=stream)
                self.assertEqual((reply.status, reply.document["error"]["code"]), (503, "model_busy"))
                self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)
            self.assertEqual(send("POST", "/v1/embeddings", {"input": "hi"}).status, 200)
            waiting[0].close()
            wait_for_load(load["slots"], load["queue"] - 1, 3)
        wait_for_load(0, 0, 10)
        self.assertEqual(chat("hi", max_tokens=1).status, 200)

    def test_a_burst_is_answered_by_us(self) -> None:
        with ThreadPoolExecutor(100) as pool:
            replies = list(pool.map(lambda _: chat("hi", max_tokens=2), range(100)))
        self.assertEqual({reply.status for reply in replies} - {200, 503}, set())
        refused = [reply for reply in replies if reply.status == 503]
        self.assertGreater(len(refused), 0)
        for reply in refused:
            self.assertEqual(reply.document["error"]["code"], "model_busy")
            self.assertIn("retry-after", reply.headers)
        wait_for_load(0, 0, 10)
