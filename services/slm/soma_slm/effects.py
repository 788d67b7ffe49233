"""One generation for each effect key: the first caller begins it, others join it, later ones get what was recorded.

Requests without a key take the same way, with nothing recorded and nobody to join.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from starlette.requests import Request

from soma_slm.effect_journal import EffectJournal, Record
from soma_slm.effect_key import EffectKey, key_reused
from soma_slm.effect_locks import EffectLocks
from soma_slm.journal_seal import JournalError
from soma_slm.log_lines import log_line
from soma_slm.openai_errors import ApiError, busy, internal_error

Chunk = dict[str, Any]
# Does the work, hands out chunks as they come, and returns the outcome; canceled when no caller is left.
Work = Callable[[Callable[[Chunk], None]], Awaitable[Record]]
# The chunks of a recorded outcome.
Unfold = Callable[[Record], list[Chunk]]

# Callers of one effect at once: a takeover makes two.
MAX_READERS = 16
OTHER_PROCESS_SECONDS = 30


class EffectRun:
    """One effect under way. It ends for all its readers at once, after its outcome is on disk."""

    def __init__(self, effects: "Effects", key: EffectKey | None, work: Work, unfold: Unfold) -> None:
        """Begin the work in a task of its own: it does not end with the caller that began it."""
        self.key = key
        self.chunks: list[Chunk] = []
        self.readers = 0
        self.replayed = False
        self.done = False
        self.error: ApiError | None = None
        self.record: Record | None = None
        # From here on leaving cancels nothing: the generation has ended and its outcome goes to disk.
        self.settled = False
        self.changed = asyncio.Event()
        self._effects = effects
        self._work = work
        self._unfold = unfold
        self._task = asyncio.create_task(self._drive())

    def emit(self, chunk: Chunk) -> None:
        """Hand a chunk to all readers."""
        self.chunks.append(chunk)
        self._wake()

    def cancel(self) -> None:
        """End the work without an outcome. The next call with this key begins anew."""
        self._effects.forget(self)
        self._task.cancel()

    async def _drive(self) -> None:
        try:
            if self.key is None:
                self.record = await self._work(self.emit)
            else:
                await self._effects.alone(self.key, self._settle)
        except ApiError as error:
            self.error = error
        except Exception as failure:  # noqa: BLE001 - nothing of it may reach a caller
            # The kind alone: the text of an exception can hold what a caller sent.
            log_line("effect-failed", level="error", detail=type(failure).__name__)
            self.error = internal_error()
        finally:
            self._effects.forget(self)
            self.done = True
            self._wake()

    async def _settle(self, key: EffectKey) -> None:
        self.record = await self._effects.find(key)
        if self.record is not None:
            self.replayed = True
            self.chunks = self._unfold(self.record)
            return
        record = await self._work(self.emit)
        self.settled = True
        await self._effects.add(key, record)
        self.record = record

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class EffectReader:
    """One caller's view of a run: an asynchronous iterator of its chunks from the first on. Call leave() at the end."""

    def __init__(self, run: EffectRun, request: Request, *, joined: bool) -> None:
        """Only Effects.attach makes readers."""
        self._run = run
        self._request = request
        self._joined = joined
        self._position = 0
        self._left = False
        run.readers += 1

    def __aiter__(self) -> Self:
        """Iterate over chunks."""
        return self

    async def __anext__(self) -> Chunk:
        """Return the next chunk; raise the ApiError that ended the run."""
        run = self._run
        while self._position >= len(run.chunks):
            if run.done:
                if run.error is not None:
                    raise run.error
                self._note(self._word)
                raise StopAsyncIteration
            await run.changed.wait()
        self._position += 1
        return run.chunks[self._position - 1]

    async def outcome(self) -> Record:
        """Return the outcome, once it is on disk."""
        async for _ in self:
            pass
        if self._run.record is None:
            raise internal_error()
        return self._run.record

    def headers(self) -> dict[str, str]:
        """Return what the answer says of where it comes from; known from the first chunk on."""
        word = self._word
        return {} if word == "generated" else {f"Idempotency-{word.capitalize()}": "true"}

    def leave(self) -> None:
        """End this caller's part; the last one that leaves a run which is not settled cancels it."""
        if self._left:
            return
        self._left = True
        run = self._run
        run.readers -= 1
        if run.done:
            return
        if run.readers == 0 and not run.settled:
            run.cancel()
            self._note("canceled")
        else:
            self._note(self._word)

    @property
    def _word(self) -> str:
        if self._run.replayed:
            return "replayed"
        return "joined" if self._joined else "generated"

    def _note(self, word: str) -> None:
        """Leave the word for the log line; only requests with a key have one."""
        if self._run.key is not None:
            self._request.state.effect_outcome = word


class Effects:
    """All effects of this process, with the journal behind them."""

    def __init__(self, journal: EffectJournal, locks: EffectLocks) -> None:
        """Take the journal, which is only called in one thread of its own, and the locks."""
        self._journal = journal
        self._locks = locks
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._running: dict[tuple[str, str], EffectRun] = {}

    def attach(self, key: EffectKey | None, work: Work, unfold: Unfold, request: Request) -> EffectReader:
        """Begin or join the effect; raise the 422 when the key stands for something else that runs now."""
        running = None if key is None else self._running.get(key.place)
        if running is None:
            run = EffectRun(self, key, work, unfold)
            if key is not None:
                self._running[key.place] = run
            return EffectReader(run, request, joined=False)
        if running.key != key:
            raise key_reused()
        if running.readers >= MAX_READERS:
            raise busy("model_busy", "too many callers wait for this answer")
        return EffectReader(running, request, joined=True)

    def forget(self, run: EffectRun) -> None:
        """Let the next call with its key begin anew; harmless when one has begun already."""
        if run.key is not None and self._running.get(run.key.place) is run:
            del self._running[run.key.place]

    async def alone(self, key: EffectKey, action: Callable[[EffectKey], Awaitable[None]]) -> None:
        """Run the action while no other process works on the key; one that was replaced has seconds to end."""
        deadline = time.monotonic() + OTHER_PROCESS_SECONDS
        while not self._locks.take(key):
            if time.monotonic() > deadline:
                raise busy("effect_running_elsewhere", "another process of this service works on this key")
            await asyncio.sleep(0.05)
        try:
            await action(key)
        finally:
            # When a canceled run's successor has begun, the lock is the successor's to give back.
            if key.place not in self._running or self._running[key.place].key is key:
                self._locks.release(key)

    async def find(self, key: EffectKey) -> Record | None:
        """Return the recorded outcome, if there is one."""
        return await self._in_thread(lambda: self._journal.find(key))

    async def add(self, key: EffectKey, record: Record) -> None:
        """Record the outcome; raise a 503 when that fails, because an answer that is not on disk is none."""
        first = await self._in_thread(lambda: self._journal.add(key, record))
        usage = record["usage"]
        log_line(
            "effect-finished",
            effect_key=key.name,
            route=key.route,
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage.get("completion_tokens"),
        )
        if not first:
            raise busy("outcome_recorded", "another process recorded this key's outcome: ask again for it")

    def close(self) -> None:
        """Let the journal's thread end its work, then close the files."""
        self._thread.shutdown()
        self._journal.close()
        self._locks.close()

    async def _in_thread(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - the result of any call
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except (sqlite3.Error, OSError, JournalError) as failure:
            log_line("journal-failed", level="error", detail=type(failure).__name__)
            raise busy("journal_unavailable", "the record of effects cannot be read or written now") from None
