"""Bounds on waiting."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tetrate_jupyter.http.deadline import Deadline

pytestmark = pytest.mark.anyio


async def test_a_wait_that_ends_in_time_gives_its_result() -> None:
    deadline = Deadline()
    assert await deadline.wait(asyncio.sleep(0, "done"), deadline.after(60)) == "done"
    deadline.close()


async def test_a_wait_past_its_bound_is_cancelled_and_says_so() -> None:
    deadline = Deadline()
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(TimeoutError) as caught:
        await deadline.wait(work(), deadline.after(0.01))
    assert cancelled.is_set()
    assert caught.value.__context__ is None
    if sys.version_info >= (3, 11):
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0


async def test_one_deadline_serves_many_waits_and_time_between_them_does_not_count() -> None:
    deadline = Deadline()
    for _ in range(3):
        await deadline.wait(asyncio.sleep(0), deadline.after(0.01))
        await asyncio.sleep(0.02)  # the timer fires here, with nobody waiting
    with pytest.raises(TimeoutError):
        await deadline.wait(asyncio.Event().wait(), deadline.after(0.01))
    assert await deadline.wait(asyncio.sleep(0, "again"), deadline.after(1)) == "again"
    deadline.close()


async def test_a_nearer_bound_moves_the_timer_and_a_further_one_lets_it_fire_in_vain() -> None:
    deadline = Deadline()
    await deadline.wait(asyncio.sleep(0), deadline.after(3600))
    with pytest.raises(TimeoutError):
        await deadline.wait(asyncio.Event().wait(), deadline.after(0.01))
    await deadline.wait(asyncio.sleep(0), deadline.after(0.005))
    assert await deadline.wait(asyncio.sleep(0.03, "late"), deadline.after(60)) == "late"
    deadline.close()


async def test_somebody_elses_cancel_stays_a_cancel() -> None:
    deadline = Deadline()
    task = asyncio.ensure_future(deadline.wait(asyncio.Event().wait(), deadline.after(60)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadline.close()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="only Python 3.11 and later can tell two cancels apart")
async def test_a_cancel_at_the_same_moment_as_the_bound_is_not_lost() -> None:
    deadline = Deadline()

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_at(deadline.after(0.01), task.cancel)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            task.cancel()  # whichever came first, the other comes now
            raise

    task = asyncio.ensure_future(deadline.wait(work(), deadline.after(0.01)))
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_somebody_elses_cancel_after_a_bound_has_passed_stays_a_cancel() -> None:
    deadline = Deadline()

    async def twice() -> None:
        with pytest.raises(TimeoutError):
            await deadline.wait(asyncio.Event().wait(), deadline.after(0.01))
        await deadline.wait(asyncio.Event().wait(), deadline.after(60))

    task = asyncio.ensure_future(twice())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadline.close()


async def test_a_deadline_that_nobody_waited_for_can_be_closed_twice() -> None:
    deadline = Deadline()
    deadline.close()
    await deadline.wait(asyncio.sleep(0), deadline.after(60))
    deadline.close()
    deadline.close()
