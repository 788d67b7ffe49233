"""Which requests are the same effect, and which are not."""

import unittest
from dataclasses import replace

from soma_slm.effect_key import Caller, read_effect_key
from soma_slm.openai_errors import ApiError
from test.effect_samples import CALLER, CANARY, chat_request, http_request, key_of

DIGEST = "sha256:" + "a" * 64


class EffectKeyTest(unittest.TestCase):
    def test_a_digest_is_its_own_name_and_another_text_is_not_repeated(self) -> None:
        self.assertEqual(key_of(DIGEST).name, DIGEST)
        self.assertRegex(key_of(CANARY).name, "^sha256:[0-9a-f]{64}$")
        self.assertNotEqual(key_of("a").name, key_of("b").name)

    def test_no_header_is_no_key(self) -> None:
        self.assertIsNone(read_effect_key(http_request(), CALLER, chat_request()))

    def test_bad_headers(self) -> None:
        for keys in (("",), ("a b",), ("x" * 256,), ("a", "a"), ("\xe4",)):
            with self.subTest(keys=str(keys)[:20]), self.assertRaises(ApiError) as caught:
                read_effect_key(http_request(*keys), CALLER, chat_request())
            self.assertEqual((caught.exception.status, caught.exception.code), (400, "invalid_idempotency_key"))

    def test_framing_and_limits_are_not_what_is_asked(self) -> None:
        for same in (
            {"stream": True, "stream_options": {"include_usage": True}},
            {"stream": None},
            {"max_tokens": 5},
            {"max_completion_tokens": 7},
            {"user": "u"},
        ):
            with self.subTest(same):
                self.assertEqual(key_of("k", **same), key_of("k"))

    def test_everything_else_is(self) -> None:
        for other in (
            {"messages": [{"role": "user", "content": "x"}]},
            {"messages": [{"role": "system", "content": CANARY}]},
            {"model": "m"},
            {"temperature": 0},
            {"seed": 1},
            {"stop": "x"},
            {"response_format": {"type": "json_object"}},
        ):
            with self.subTest(other):
                self.assertNotEqual(key_of("k", **other).bound, key_of("k").bound)

    def test_each_part_of_the_caller_counts(self) -> None:
        for field in ("subject", "session", "step"):
            other = key_of("k", replace(CALLER, **{field: "other"}))
            self.assertNotEqual(other.bound, key_of("k").bound, field)
            self.assertEqual(other.place, key_of("k").place, field)
        self.assertNotEqual(key_of("k", Caller()).place, key_of("k").place)


if __name__ == "__main__":
    unittest.main()
