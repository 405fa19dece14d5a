"""Text that comes in quick succession is read in few wake-ups; nothing of it is lost, and nothing waits for more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.http.pace import HOLD, Pace, Steps

from .conftest import DONE, QUESTION, STOP, text_event

if TYPE_CHECKING:
    from tetrate_jupyter.http.client import GatewayClient

    from .conftest import RawRouter

pytestmark = pytest.mark.anyio

HANG = 30.0


class Line:
    """A network that is read by a `Pace`, with a clock of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.asked = 0  # reads that have begun
        self.pace = Pace(lambda: self.now)

    async def _piece(self, size: int, *, waits: bool) -> bytes:
        self.asked += 1
        if waits:
            await asyncio.sleep(0)
        return b"x" * size

    async def begins_at_once(
        self, *, after: float = HOLD / 4, size: int = 200, waits: bool = True, may_hold: bool = True
    ) -> bool:
        """Whether a read `after` seconds of the clock goes to the network without a moment's wait; it is read whole."""
        self.now += after
        before = self.asked
        reading = asyncio.ensure_future(self.pace.read(self._piece(size, waits=waits), may_hold=may_hold))
        await asyncio.sleep(0)
        begun = self.asked > before
        assert await asyncio.wait_for(reading, HANG) == b"x" * size
        return begun


async def test_what_comes_in_quick_succession_adds_up_before_it_is_read() -> None:
    line = Line()
    assert await line.begins_at_once()  # nobody waits for less than the first text
    assert await line.begins_at_once()
    assert not await line.begins_at_once()
    assert await line.begins_at_once(waits=False)  # what had come meanwhile
    assert await line.begins_at_once()  # to where there is nothing any more
    assert not await line.begins_at_once()


async def test_what_comes_after_a_pause_is_read_at_once() -> None:
    line = Line()
    for _ in range(10):
        assert await line.begins_at_once(after=2 * HOLD)
    assert await line.begins_at_once()
    assert not await line.begins_at_once()


async def test_what_is_there_is_read_at_full_speed() -> None:
    line = Line()
    for _ in range(3):
        await line.begins_at_once()
    for _ in range(1000):
        assert await line.begins_at_once(after=0, waits=False)


@pytest.mark.parametrize("pieces", [1, 100])
async def test_a_flood_is_read_at_full_speed(pieces: int) -> None:
    line = Line()
    assert await line.begins_at_once()
    for _ in range(20):
        for _ in range(pieces - 1):
            assert await line.begins_at_once(after=0, size=64_000 // pieces, waits=False)
        assert await line.begins_at_once(size=64_000 // pieces)


async def test_nothing_is_held_where_every_chunk_is_waited_for() -> None:
    line = Line()
    for _ in range(10):
        assert await line.begins_at_once(may_hold=False)


async def test_a_cancel_reaches_what_is_awaited_and_what_is_raised_comes_out() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(HANG)
        finally:
            ended.append("work")

    async def waiting() -> None:
        await Steps(work())

    task = asyncio.ensure_future(waiting())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["work"]

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ValueError("as it came")

    steps = Steps(failing())
    with pytest.raises(ValueError, match="as it came"):
        await steps
    assert steps.have_waited


async def test_each_piece_arrives_though_the_next_is_sent_only_then(router: RawRouter, client: GatewayClient) -> None:
    words = [f"word{n} " for n in range(12)]
    go = [asyncio.Event() for _ in words]
    pieces: list[bytes | asyncio.Event] = []
    for word, seen in zip(words, go, strict=True):
        pieces += [text_event(word), seen]
    router.will_stream(*pieces, STOP, DONE)
    found = []
    async with client.stream(router.key, QUESTION) as stream:
        async for chunk in stream:
            if chunk.delta is not None and chunk.delta.content:
                found.append(chunk.delta.content)
                go[len(found) - 1].set()
    assert found == words
