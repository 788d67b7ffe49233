"""How many requests may run and wait at once. What does not fit is told so at once, in our own words.

Ray Serve has a limit of its own, answered as text/plain; the deployment sets it above this one, so that
callers meet this one.
"""

import asyncio

from soma_slm.openai_errors import ApiError, busy


class Slot:
    """The right to run one request. Releasing it twice is harmless: several paths may end a request."""

    def __init__(self, admission: "Admission") -> None:
        """Only Admission.enter makes slots."""
        self._admission: Admission | None = admission

    def release(self) -> None:
        """Give the slot back. Call it on the event loop, when the work has really ended."""
        admission, self._admission = self._admission, None
        if admission is not None:
            admission.leave()


class Admission:
    """A bounded number of running requests and a bounded, impatient queue before them."""

    def __init__(self, slots: int, queue: int, queue_seconds: float) -> None:
        """Take the number of slots, of waiting places, and the longest wait in seconds."""
        self.slots = slots
        self.queue = queue
        self.running = 0
        self.waiting = 0
        self._queue_seconds = queue_seconds
        self._free = asyncio.Semaphore(slots)

    async def enter(self) -> Slot:
        """Return a slot, waiting in the queue if there is room in it; raise a 503 ApiError otherwise.

        A caller that is cancelled while it waits leaves the queue and never reaches the engine.
        """
        if self._free.locked() and self.waiting >= self.queue:
            raise self._full()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self._free.acquire()
        except TimeoutError as error:
            raise self._full() from error
        finally:
            self.waiting -= 1
        self.running += 1
        return Slot(self)

    def leave(self) -> None:
        """Count a slot as free again; called by Slot.release only."""
        self.running -= 1
        self._free.release()

    def load(self) -> dict[str, int]:
        """Return how busy it is, for /health."""
        return {"slots": self.slots, "running": self.running, "queue": self.queue, "waiting": self.waiting}

    @staticmethod
    def _full() -> ApiError:
        return busy("model_busy", "all slots of this model are taken and its queue is full")
