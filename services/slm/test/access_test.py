"""Access fails closed: every way in which an identity service can be odd, and every token that must not pass."""

import asyncio
import socket
import time
import unittest

from starlette.requests import Request

from soma_slm.access import Access, effect_key
from soma_slm.openai_errors import ApiError
from test.scripted_identity import Answer, answer_of, scripted_identity

TOKEN = "aaaa.bbbb.cccc"  # noqa: S105 - not a token of anything
OURS = "somagent-slm"


def request_with(*authorization: str, keys: tuple[str, ...] = ()) -> Request:
    headers = [(b"authorization", value.encode("latin-1")) for value in authorization]
    headers += [(b"idempotency-key", key.encode("latin-1")) for key in keys]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""})


def refusal(url: str, *authorization: str, keys: tuple[str, ...] = ()) -> ApiError:
    """Return how the request is refused; that it is not refused is a failure."""

    async def attempt() -> ApiError:
        access = Access(url, OURS)
        try:
            await access.require(request_with(*authorization, keys=keys), "model.complete")
        except ApiError as error:
            return error
        finally:
            await access.close()
        raise AssertionError("the request was let in")

    return asyncio.run(attempt())


class AccessTest(unittest.TestCase):
    def check(self, answer: Answer, status: int, code: str) -> None:
        with scripted_identity(answer) as (url, asked):
            error = refusal(url, f"Bearer {TOKEN}")
        self.assertEqual((error.status, error.code), (status, code))
        self.assertEqual([path for path, _ in asked], ["/v1/tokens/verify"])
        if status == 503:
            self.assertIn("Retry-After", error.headers)
        self.assertNotIn(TOKEN, str(error.body()))

    def test_odd_answers_are_503(self) -> None:
        claims = {"aud": OURS, "scope": "model.complete", "tenant_id": "tenant-a", "sub": "user-a"}
        good = answer_of({"valid": True, "claims": claims})
        odd = {
            "server error": Answer(b"{}", status=500),
            "created": Answer(good.body, status=201),
            "redirect": Answer(good.body, status=307, headers={"location": "/v1/tokens/verify"}),
            "not JSON": Answer(b"<html>"),
            "not said to be JSON": Answer(good.body, content_type="text/html"),
            "a list": answer_of([]),
            "no valid": answer_of({"claims": claims}),
            "valid as text": answer_of({"valid": "true", "claims": claims}),
            "valid as number": answer_of({"valid": 1, "claims": claims}),
            "no claims": answer_of({"valid": True}),
            "claims as text": answer_of({"valid": True, "claims": "all"}),
            "too large": answer_of({"valid": True, "claims": {**claims, "pad": "x" * 70_000}}),
            "no tenant": answer_of({"valid": True, "claims": {**claims, "tenant_id": ""}}),
            "no subject": answer_of({"valid": True, "claims": {**claims, "sub": None}}),
            "a step that is no text": answer_of({"valid": True, "claims": {**claims, "step": 1}}),
            "too deep": Answer(b"[" * 60_000),
        }
        for name, answer in odd.items():
            with self.subTest(name):
                self.check(answer, 503, "identity_unavailable")

    def test_slow_answers_are_503_within_the_deadline(self) -> None:
        for answer in (Answer(wait_seconds=1.5), Answer(b"{}" * 10, drip_seconds=0.1)):
            began = time.monotonic()
            self.check(answer, 503, "identity_unavailable")
            self.assertLess(time.monotonic() - began, 3)

    def test_unreachable_is_503(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
            error = refusal(f"http://127.0.0.1:{unused.getsockname()[1]}", f"Bearer {TOKEN}")
        self.assertEqual((error.status, error.code), (503, "identity_unavailable"))

    def test_invalid_token(self) -> None:
        self.check(answer_of({"valid": False}), 401, "invalid_token")

    def test_wrong_audience(self) -> None:
        for audience in ("other", ["other", OURS + "x"], [], None, {OURS: 1}, [[OURS]]):
            with self.subTest(audience):
                claims = {"aud": audience, "scope": "model.complete"}
                self.check(answer_of({"valid": True, "claims": claims}), 401, "invalid_token")

    def test_wrong_scope(self) -> None:
        for scope in ("", "model.embed", "model.complete2", "xmodel.complete", None, ["model.complete"]):
            with self.subTest(scope):
                claims = {"aud": [OURS], "scope": scope}
                self.check(answer_of({"valid": True, "claims": claims}), 403, "insufficient_scope")

    def test_the_key_of_another_step(self) -> None:
        claims = {
            "aud": OURS,
            "scope": "model.complete",
            "sub": "user-demo",
            "tenant_id": "tenant-demo",
            "session_id": "sess-1",
            "step": "completion-1",
        }
        # Written by the orchestrator's own function for these three parts.
        own = "sha256:dd48dba4d649332a8e1b32062f46c78b1a1da8918864c1e30824c661802c3e4e"
        self.assertEqual(effect_key("tenant-demo", "sess-1", "completion-1"), own)
        others = (effect_key("tenant-demo", "sess-1", "completion-2"), own[:-1], f"{own}0", own.upper(), "", "1")
        with scripted_identity(answer_of({"valid": True, "claims": claims})) as (url, _):
            for keys in [*((other,) for other in others), (own, others[0])]:
                with self.subTest(keys):
                    error = refusal(url, f"Bearer {TOKEN}", keys=keys)
                    self.assertEqual((error.status, error.code), (403, "wrong_step"))
            for keys in [(), (own,), (f"{own}/2",)]:
                with self.subTest(keys), self.assertRaisesRegex(AssertionError, "was let in"):
                    refusal(url, f"Bearer {TOKEN}", keys=keys)

    def test_unusable_headers_never_reach_the_identity_service(self) -> None:
        unusable = [
            (),
            ("",),
            (TOKEN,),
            (f"Basic {TOKEN}",),
            ("Bearer ",),
            ("Bearer a.b",),
            (f"Bearer {TOKEN} x",),
            (f"Bearer  {TOKEN}",),
            (f"Bearer {'a' * 9000}.b.c",),
            (f"Bearer {TOKEN}", f"Bearer {TOKEN}"),
        ]
        with scripted_identity(Answer()) as (url, asked):
            for values in unusable:
                with self.subTest(str(values)[:40]):
                    error = refusal(url, *values)
                    self.assertEqual((error.status, error.code), (401, "invalid_token"))
                    self.assertIn("WWW-Authenticate", error.headers)
        self.assertEqual(asked, [])


if __name__ == "__main__":
    unittest.main()
