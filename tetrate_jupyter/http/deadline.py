"""A timeout that costs next to nothing per wait, and that can't be mistaken for a cancellation from elsewhere."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


class Deadline:
    """A timeout for any number of successive waits, with a single timer that is moved only when it fires.

    A timer per network read (1,000 of them in an answer) would be set and cleared 1,000 times; here a wait sets a few
    attributes. `asyncio.wait_for` won't do: on older Pythons it starts a task per wait, and can lose a cancellation.
    """

    __slots__ = ("_at", "_cancels_before", "_expired", "_loop", "_task", "_timer")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._at = 0.0
        self._expired = False
        self._cancels_before = 0

    def after(self, seconds: float) -> float:
        """Return the time `seconds` from now on the loop's clock, for `wait`."""
        return self._loop.time() + seconds

    async def wait(self, work: Awaitable[T], until: float) -> T:
        """Await `work`; where it isn't done at the time `until`, cancel it and raise `TimeoutError`."""
        self._at = until
        self._expired = False
        self._task = asyncio.current_task()
        if self._timer is None:
            self._timer = self._loop.call_at(until, self._fire)
        elif self._timer.when() > until:
            self._timer.cancel()
            self._timer = self._loop.call_at(until, self._fire)
        try:
            return await work
        except asyncio.CancelledError:
            if not (self._expired and self._nobody_else_cancelled()):
                raise
        finally:
            self._task = None
        raise TimeoutError

    def close(self) -> None:
        """Drop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _nobody_else_cancelled(self) -> bool:
        if sys.version_info >= (3, 11) and self._task is not None:
            return self._task.uncancel() <= self._cancels_before
        return True  # Python 3.10 can't distinguish them; the task ends with an error either way

    def _fire(self) -> None:
        self._timer = None
        if self._task is None:
            return  # no wait is going on; the next one sets a new timer
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._fire)
            return
        self._expired = True
        if sys.version_info >= (3, 11):
            self._cancels_before = self._task.cancelling()
        self._task.cancel()
