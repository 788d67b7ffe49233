"""From an engine's blocking thread to asyncio, with a way to stop it."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, Self

from soma_slm.engine_errors import engine_error, engine_failed
from soma_slm.openai_errors import ApiError

Chunk = dict[str, Any]
EngineCall = Callable[[dict[str, Any], Callable[[Chunk], bool]], Any]


class Generation:
    """One running generation: an asynchronous iterator of the engine's chunks.

    Whoever made it calls close(); `on_end` runs on the event loop when the engine has really let go.
    """

    def __init__(self, call: EngineCall, body: dict[str, Any], on_end: Callable[[], None]) -> None:
        """Start the engine's work in a thread of its own. Needs a running event loop."""
        self._loop = asyncio.get_running_loop()
        # Holds at most max_tokens chunks: the engine need not wait for a slow reader and keep its slot.
        self._chunks: asyncio.Queue[Chunk | ApiError | None] = asyncio.Queue()
        self._stop = threading.Event()
        self._on_end = on_end
        threading.Thread(target=self._work, args=(call, body), daemon=True, name="generation").start()

    def close(self) -> None:
        """Stop the engine at its next call back; harmless when it has ended."""
        self._stop.set()

    def __aiter__(self) -> Self:
        """Iterate over chunks."""
        return self

    async def __anext__(self) -> Chunk:
        """Return the next chunk of the answer, or raise the ApiError that ended it."""
        item = await self._chunks.get()
        if item is None:
            raise StopAsyncIteration
        if isinstance(item, ApiError):
            raise item
        return item

    def _work(self, call: EngineCall, body: dict[str, Any]) -> None:
        try:
            self._take(call(body, self._take))
        except Exception:  # noqa: BLE001 - the engine raises bare RuntimeErrors with texts that are not for callers
            self._put(engine_failed())
        self._put(None)
        with contextlib.suppress(RuntimeError):  # the loop is gone when the replica is
            self._loop.call_soon_threadsafe(self._on_end)

    def _take(self, chunk: Chunk | None) -> bool:
        """Pass a chunk on. Returning True stops the engine; an exception here would be swallowed by it."""
        if chunk and "error" in chunk:
            self._put(engine_error(chunk["error"]))
        elif chunk and "prompt_progress" not in chunk:
            self._put(chunk)
        return self._stop.is_set()

    def _put(self, item: Chunk | ApiError | None) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, item)
