"""Sending an odd answer: streamed, whole, or the same in both cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tetrate_jupyter.sandbox import oddities
from tetrate_jupyter.sandbox.oddities import Block, Oddity, Values
from tetrate_jupyter.sandbox.stream import EventWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.sandbox.endpoint import Endpoint
    from tetrate_jupyter.sandbox.pace import Schedule
    from tetrate_jupyter.sandbox.validate import Accepted

_PAUSE: Final = 7.0  # seconds; longer than a client waits after a finish reason
_FIRST: Final = 0.05  # seconds to the first event and, below, between events, at speed 1
_BETWEEN: Final = 0.02


class OddAnswer:
    """The odd answer to one request. `usual` returns the text of the normal answer."""

    def __init__(self, endpoint: Endpoint, odd: Oddity, accepted: Accepted, usual: Callable[[], str]) -> None:
        self._endpoint = endpoint
        self._odd = odd
        self._accepted = accepted
        self._usual = usual

    async def run(self, schedule: Schedule) -> bool:
        """Send it; return False where the normal answer should be sent instead."""
        messages = self._accepted.body["messages"]
        block = self._odd.refusal(messages)
        if block is None:
            if self._odd.calls_tools and messages[-1].get("role") == "tool":
                return False
            block = self._block()
        if block is None:
            return False
        if block in (self._odd.blocks.get("stream"), self._odd.blocks.get("raw")):
            await self._stream(block, schedule)
        else:
            await self._endpoint.send_block(block, self._values(block))
        return True

    def _block(self) -> Block | None:
        blocks = self._odd.blocks
        if "body" in blocks:
            return blocks["body"]
        return blocks.get("stream", blocks.get("raw")) if self._accepted.stream else blocks.get("whole")

    def _values(self, block: Block) -> Values:
        answer = self._usual() if "$answer" in block.text else ""
        return Values(self._accepted.served.id, oddities.tool_of(self._accepted.body), answer)

    async def _pause(self) -> None:
        delay = self._endpoint.fault.delay if self._endpoint.fault else None
        await self._endpoint.wait(_PAUSE if delay is None else delay)

    async def _stream(self, block: Block, schedule: Schedule) -> None:
        writer = EventWriter(self._endpoint)
        await writer.open(block.content_type)
        await schedule.after(_FIRST)
        if block is self._odd.blocks.get("raw"):
            for place, text in enumerate(block.text.split(f"{oddities.PAUSE}\n")):
                if place:
                    await self._pause()
                await writer.raw(text)
            await self._endpoint.finish()
            return
        for data in oddities.events(block, self._values(block), include_usage=self._accepted.include_usage):
            if data == oddities.CUT:
                self._endpoint.drop()
                return
            if data == oddities.PAUSE:
                await self._pause()
            else:
                await writer.text(data)
                await schedule.after(_BETWEEN)
        await self._endpoint.finish()
