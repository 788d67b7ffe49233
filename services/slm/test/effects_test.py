"""Joining, replaying and canceling: how often the work is done, and what each caller is told."""

import asyncio
import shutil
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soma_slm.chat_answer import recorded_chunks
from soma_slm.effect_journal import EffectJournal
from soma_slm.effect_key import EffectKey
from soma_slm.effect_locks import EffectLocks
from soma_slm.effects import MAX_READERS, EffectReader, Effects
from soma_slm.openai_errors import ApiError, busy
from test.effect_samples import MIB, http_request, key_of, record_of

SERVICE = Path(__file__).resolve().parent.parent


class Scripted:
    """Work that goes on when it is told to, and counts how often it began, ended and was canceled."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.began = self.ended = self.canceled = 0

    async def __call__(self, emit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        self.began += 1
        try:
            emit({"number": 1})
            await self.go.wait()
            emit({"number": 2})
        except asyncio.CancelledError:
            self.canceled += 1
            raise
        self.ended += 1
        return record_of(f"answer {self.ended}")


class EffectsTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="soma-effects-"))
        self.folder = folder
        self.addCleanup(shutil.rmtree, folder)
        self.journal = EffectJournal(folder, 1000, MIB)
        locks = EffectLocks(folder)
        self.effects = Effects(self.journal, locks)
        self.addCleanup(self.effects.close)
        self.work = Scripted()
        self.words: dict[EffectReader, Callable[[], str | None]] = {}

    def attach(self, key: EffectKey | None) -> EffectReader:
        request = http_request()
        reader = self.effects.attach(key, self.work, recorded_chunks, request)
        self.words[reader] = lambda: getattr(request.state, "effect_outcome", None)
        return reader

    async def hold(self, key: str, said: bytes) -> asyncio.subprocess.Process:
        """Start a process that tries to take the key's lock and keeps it; check what it says."""
        holder = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "test.journal_process", str(self.folder), "hold", key),
            cwd=SERVICE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        if holder.stdout is None:
            raise AssertionError("no output")
        self.assertEqual(await holder.stdout.readline(), said)
        return holder

    async def test_a_finished_outcome_is_replayed(self) -> None:
        self.work.go.set()
        first = self.attach(key_of("k"))
        self.assertEqual(await first.outcome(), record_of("answer 1"))
        second = self.attach(key_of("k", max_tokens=3))
        self.assertEqual(await second.outcome(), record_of("answer 1"))
        self.assertEqual((first.headers(), second.headers()), ({}, {"Idempotency-Replayed": "true"}))
        self.assertEqual((self.words[first](), self.words[second]()), ("generated", "replayed"))
        self.assertEqual(self.work.began, 1)

    async def test_a_second_caller_joins_and_gets_it_all(self) -> None:
        first = self.attach(key_of("k"))
        await anext(first)
        second = self.attach(key_of("k"))
        self.assertEqual(await anext(second), {"number": 1})
        self.work.go.set()
        answers = await asyncio.gather(first.outcome(), second.outcome())
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(second.headers(), {"Idempotency-Joined": "true"})
        self.assertEqual((self.words[first](), self.words[second]()), ("generated", "joined"))
        self.assertEqual((self.work.began, self.work.ended), (1, 1))

    async def test_many_callers_at_once_are_one_generation(self) -> None:
        self.work.go.set()
        readers = [self.attach(key_of("k")) for _ in range(MAX_READERS)]
        with self.assertRaises(ApiError) as caught:
            self.attach(key_of("k"))
        self.assertEqual((caught.exception.status, caught.exception.code), (503, "model_busy"))
        answers = await asyncio.gather(*(reader.outcome() for reader in readers))
        self.assertEqual(self.work.began, 1)
        self.assertTrue(all(answer == answers[0] for answer in answers))

    async def test_the_first_goes_and_the_joined_stays(self) -> None:
        first, second = self.attach(key_of("k")), self.attach(key_of("k"))
        await anext(first)
        first.leave()
        first.leave()
        self.work.go.set()
        self.assertEqual(await second.outcome(), record_of("answer 1"))
        self.assertEqual((self.words[first](), self.work.canceled, self.work.began), ("generated", 0, 1))

    async def test_when_the_last_goes_there_is_no_outcome_and_the_next_begins_anew(self) -> None:
        first = self.attach(key_of("k"))
        await anext(first)
        first.leave()
        second = self.attach(key_of("k"))
        await anext(second)
        self.assertEqual((self.words[first](), self.work.canceled, self.work.began), ("canceled", 1, 2))
        self.work.go.set()
        await second.outcome()
        self.assertEqual((self.words[second](), self.work.ended), ("generated", 1))
        # And its lock was given back.
        other = await self.hold("k", b"True\n")
        other.kill()
        await other.wait()

    async def test_another_body_while_it_runs_is_refused(self) -> None:
        first = self.attach(key_of("k"))
        await anext(first)
        with self.assertRaises(ApiError) as caught:
            self.attach(key_of("k", seed=1))
        self.assertEqual(caught.exception.code, "idempotency_key_reused")
        first.leave()

    async def test_a_failure_is_told_to_all_and_is_no_outcome(self) -> None:
        async def failing(_emit: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
            await asyncio.sleep(0)
            raise busy("model_busy", "full")

        readers = [self.effects.attach(key_of("k"), failing, recorded_chunks, http_request()) for _ in range(2)]
        for reader in readers:
            with self.assertRaises(ApiError):
                await reader.outcome()
        self.work.go.set()
        self.assertEqual(await self.attach(key_of("k")).outcome(), record_of("answer 1"))

    async def test_an_answer_that_cannot_be_recorded_is_not_given(self) -> None:
        reader = self.attach(key_of("k"))
        await anext(reader)
        self.journal.close()
        self.work.go.set()
        with self.assertRaises(ApiError) as caught:
            await reader.outcome()
        self.assertEqual((caught.exception.status, caught.exception.code), (503, "journal_unavailable"))

    async def test_another_process_with_the_key_is_waited_for_and_its_outcome_taken(self) -> None:
        for key, recorded in (("dies", False), ("finishes", True)):
            holder = await self.hold(key, b"True\n")
            self.work.go.set()
            before = self.work.began
            reader = self.attach(key_of(key))
            await asyncio.sleep(0.2)
            self.assertEqual(self.work.began, before)
            if recorded:
                self.journal.add(key_of(key), record_of("of the other"))
            holder.kill()
            await holder.wait()
            answer = await reader.outcome()
            self.assertEqual(answer == record_of("of the other"), recorded)
            self.assertEqual(self.words[reader](), "replayed" if recorded else "generated")

    async def test_without_a_key_nothing_is_shared(self) -> None:
        self.work.go.set()
        await asyncio.gather(*(self.attach(None).outcome() for _ in range(3)))
        self.assertEqual(self.work.began, 3)


class RecordTest(unittest.TestCase):
    def test_recorded_chunks_hold_the_whole_record(self) -> None:
        chunks = recorded_chunks(record_of("one"))
        self.assertEqual([c["choices"][0]["delta"].get("content") for c in chunks[:-1]], [None, "one", "!", None])
        self.assertEqual(chunks[-2]["choices"][0]["finish_reason"], "stop")
        self.assertEqual(chunks[-1]["usage"], record_of()["usage"])


if __name__ == "__main__":
    unittest.main()
