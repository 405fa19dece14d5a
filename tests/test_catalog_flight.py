"""Sharing one run among all who ask at the same time."""

from __future__ import annotations

import asyncio
import gc

import pytest

from tetrate_jupyter.catalog.flight import SingleFlight


class Work:
    """Counts its runs; ends when told to."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = 0
        self.go = asyncio.Event()
        self.running = asyncio.Event()

    async def run(self) -> int:
        self.started += 1
        self.running.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.started


@pytest.mark.anyio
async def test_parallel_callers_share_one_run() -> None:
    flights, work = SingleFlight[int](), Work()
    callers = [asyncio.create_task(flights.run("a", work.run)) for _ in range(3)]
    await work.running.wait()
    work.go.set()
    assert await asyncio.gather(*callers) == [1, 1, 1]
    assert await flights.run("a", work.run) == 2


@pytest.mark.anyio
async def test_different_names_run_apart() -> None:
    flights, work = SingleFlight[int](), Work()
    work.go.set()
    await asyncio.gather(flights.run("a", work.run), flights.run("b", work.run))
    assert work.started == 2


@pytest.mark.anyio
async def test_a_cancelled_caller_leaves_the_others_waiting() -> None:
    flights, work = SingleFlight[int](), Work()
    first = asyncio.create_task(flights.run("a", work.run))
    second = asyncio.create_task(flights.run("a", work.run))
    await work.running.wait()
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    work.go.set()
    assert await second == 1


@pytest.mark.anyio
async def test_the_last_cancelled_caller_cancels_the_run() -> None:
    flights, work = SingleFlight[int](), Work()
    callers = [asyncio.create_task(flights.run("a", work.run)) for _ in range(2)]
    await work.running.wait()
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    assert work.cancelled == 1
    work.go.set()
    assert await flights.run("a", work.run) == 2


@pytest.mark.anyio
async def test_a_failure_reaches_every_caller_and_the_next_one_tries_again() -> None:
    flights, runs = SingleFlight[int](), []

    async def fail() -> int:
        runs.append(1)
        await asyncio.sleep(0)
        raise OSError("no")

    outcomes = await asyncio.gather(*(flights.run("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(o) for o in outcomes] == [OSError, OSError]
    assert len(runs) == 1
    with pytest.raises(OSError, match="no"):
        await flights.run("a", fail)
    assert len(runs) == 2


@pytest.mark.anyio
async def test_a_failure_that_nobody_waits_for_is_said_to_nobody() -> None:
    flights, work = SingleFlight[int](), Work()
    heard: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))

    async def fail_when_cancelled() -> int:
        try:
            return await work.run()
        except asyncio.CancelledError:
            raise OSError("no") from None

    for run in (fail_when_cancelled, work.run):
        work.running.clear()
        caller = asyncio.create_task(flights.run("a", run))
        await work.running.wait()
        caller.cancel()
        await asyncio.wait({caller})
        assert caller.cancelled()
    gc.collect()
    await asyncio.sleep(0)
    assert heard == []
