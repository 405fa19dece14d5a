"""What takes the place of what in a sign-in card, at the moments when both are about to go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tetrate_jupyter.widgets.sign_in_jobs import Jobs

if TYPE_CHECKING:
    from tetrate_jupyter.bridge import Bridge


class Card:
    """Jobs on a loop, what they said that still counts, and a door at which the first of them waits."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.said: list[str] = []
        self.failures: list[BaseException] = []
        self.jobs = Jobs(lambda work: asyncio.run_coroutine_threadsafe(work, self.loop), self.failures.append)
        self.door: asyncio.Future[None] = self.loop.create_future()
        self.waits = asyncio.Event()

    def say(self, word: str) -> None:
        if not self.jobs.outrun:
            self.said.append(word)

    async def first(self) -> None:
        self.waits.set()
        await self.door
        self.say("first")
        self.jobs.do(self.third)

    async def second(self) -> None:
        self.say("second")

    async def third(self) -> None:
        self.say("third")

    async def fails(self) -> None:
        self.waits.set()
        await self.door
        raise OSError("too late to be told")

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.mark.parametrize("lane", ["do", "look"])
def test_what_is_outrun_at_the_moment_it_goes_on_has_nothing_more_to_say(bridge: Bridge, lane: str) -> None:
    async def run() -> None:
        card = Card()
        begin = getattr(card.jobs, lane)
        begin(card.first)
        await card.waits.wait()
        card.door.set_result(None)  # it goes on in the next turn of the loop, before any cancelling reaches it
        begin(card.second)
        await card.settle()
        assert card.said == ["second"]

    bridge.run(run())


def test_what_is_stopped_at_the_moment_it_fails_tells_nothing(bridge: Bridge) -> None:
    async def run() -> None:
        card = Card()
        card.jobs.do(card.fails)
        await card.waits.wait()
        card.door.set_result(None)
        card.jobs.stop_main()
        await card.settle()
        assert card.failures == []
        card.jobs.do(card.fails)
        await card.settle()
        assert [str(error) for error in card.failures] == ["too late to be told"]

    bridge.run(run())


def test_a_look_and_what_the_card_is_about_go_on_side_by_side(bridge: Bridge) -> None:
    async def run() -> None:
        card = Card()
        card.jobs.do(card.first)
        await card.waits.wait()
        card.jobs.look(card.second)
        await card.settle()
        card.door.set_result(None)
        await card.settle()
        assert card.said == ["second", "first", "third"]

    bridge.run(run())


def test_a_change_that_an_outrun_job_tells_of_is_looked_at(bridge: Bridge) -> None:
    async def run() -> None:
        card = Card()

        async def changes() -> None:
            card.waits.set()
            await card.door
            card.jobs.look(card.third)

        card.jobs.do(changes)
        await card.waits.wait()
        card.door.set_result(None)
        card.jobs.do(card.second)
        await card.settle()
        assert sorted(card.said) == ["second", "third"]

    bridge.run(run())
