"""Reading an answer in few wake-ups: what comes in quick succession adds up in the socket for a moment."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from typing_extensions import Self

T = TypeVar("T")

HOLD: Final = 0.04  # seconds that text waits at most; whatever shows it draws ten times a second
_QUICK: Final = 1.5 * HOLD  # seconds between two reads of an answer that comes in quick succession
_MUCH: Final = 16 * 1024  # bytes that are worth a wake-up


class Pace:
    """Decides when the next read is worth its wake-up, which costs several times what a chunk does.

    The first pieces, and each that comes after a pause of the model, are read at once. Nothing holds back a flood,
    whose reads bring much each, nor what is there already when it is read. `clock`: seconds, of any beginning.
    """

    __slots__ = ("_clock", "_is_due", "_is_held", "_last", "_size")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock() - _QUICK  # when a read ended that had to wait for the network
        self._size = 0  # bytes since then
        self._is_due = self._is_held = False

    async def read(self, work: Awaitable[bytes], *, may_hold: bool) -> bytes:
        """Await a read, after a moment where it would bring one chunk. `may_hold`: nobody waits for just that one."""
        if self._is_due and may_hold:
            self._is_held = True
            await asyncio.sleep(max(0.0, self._last + HOLD - self._clock()))
        self._is_due = False
        steps = Steps(work)
        found = await steps
        self._size += len(found)
        if steps.have_waited:
            now = self._clock()
            # What follows upon a hold has come meanwhile: it is read on to where the next one has to be waited for.
            self._is_due = not self._is_held and now - self._last < _QUICK and self._size < _MUCH
            self._is_held, self._last, self._size = False, now, 0
        return found


class Steps(Generic[T]):
    """Awaits something; `have_waited` says whether it had to be waited for, or was there."""

    __slots__ = ("_steps", "have_waited")

    def __init__(self, work: Awaitable[T]) -> None:
        self._steps: Generator[object, None, T] = work.__await__()
        self.have_waited = False

    def __await__(self) -> Generator[object, None, T]:
        return self  # type: ignore[return-value]  # an iterator that can be thrown into is all that is awaited

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> object:
        step = next(self._steps)  # StopIteration carries the result
        self.have_waited = True
        return step

    def throw(self, error: BaseException) -> object:
        """Pass a cancel on."""
        return self._steps.throw(error)

    def close(self) -> None:
        """Pass the end on."""
        self._steps.close()
