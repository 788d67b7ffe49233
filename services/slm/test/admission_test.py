"""Admission: never more running than slots, a bounded and impatient queue, nothing leaks."""

import asyncio
import unittest

from soma_slm.admission import Admission
from soma_slm.openai_errors import ApiError


class AdmissionTest(unittest.IsolatedAsyncioTestCase):
    async def test_full_is_a_503_with_retry_after(self) -> None:
        admission = Admission(1, 0, 5)
        await admission.enter()
        with self.assertRaises(ApiError) as caught:
            await admission.enter()
        self.assertEqual((caught.exception.status, caught.exception.code), (503, "model_busy"))
        self.assertGreaterEqual(int(caught.exception.headers["Retry-After"]), 1)

    async def test_a_waiting_request_gets_the_freed_slot(self) -> None:
        admission = Admission(1, 1, 5)
        slot = await admission.enter()
        waiting = asyncio.create_task(admission.enter())
        await asyncio.sleep(0)
        self.assertEqual(admission.load(), {"slots": 1, "running": 1, "queue": 1, "waiting": 1})
        slot.release()
        (await waiting).release()
        self.assertEqual(admission.load(), {"slots": 1, "running": 0, "queue": 1, "waiting": 0})

    async def test_waiting_ends(self) -> None:
        admission = Admission(1, 1, 0.02)
        await admission.enter()
        with self.assertRaises(ApiError):
            await admission.enter()
        self.assertEqual((admission.running, admission.waiting), (1, 0))

    async def test_a_cancelled_waiter_leaves_no_trace(self) -> None:
        admission = Admission(1, 4, 5)
        slot = await admission.enter()
        waiting = asyncio.create_task(admission.enter())
        await asyncio.sleep(0)
        waiting.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await waiting
        slot.release()
        (await admission.enter()).release()
        self.assertEqual((admission.running, admission.waiting), (0, 0))

    async def test_releasing_twice_frees_once(self) -> None:
        admission = Admission(2, 0, 5)
        first, second = await admission.enter(), await admission.enter()
        first.release()
        first.release()
        self.assertEqual(admission.running, 1)
        await admission.enter()
        with self.assertRaises(ApiError):
            await admission.enter()
        second.release()

    async def test_never_more_than_the_slots_under_load(self) -> None:
        admission = Admission(3, 100, 5)
        highest = 0

        async def one(number: int) -> None:
            nonlocal highest
            slot = await admission.enter()
            try:
                highest = max(highest, admission.running)
                await asyncio.sleep(0.001 * (number % 3))
            finally:
                slot.release()

        tasks = [asyncio.create_task(one(number)) for number in range(60)]
        for task in tasks[::7]:
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.assertLessEqual(highest, 3)
        self.assertEqual((admission.running, admission.waiting), (0, 0))


if __name__ == "__main__":
    unittest.main()
