"""A bound on waiting that costs next to nothing per wait, and that can't be mistaken for somebody else's cancel."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


class Deadline:
    """Bounds any number of waits, one after the other, with a single timer that is moved only when it fires.

    A time-out per network read (1,000 of them in an answer) would set and clear 1,000 timers; here a wait sets two
    attributes. `asyncio.wait_for` is no choice: it starts a task per wait, and can lose a cancel.
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
        """Return the moment `seconds` from now, for `wait`."""
        return self._loop.time() + seconds

    async def wait(self, work: Awaitable[T], until: float) -> T:
        """Await `work`; raise `TimeoutError` (after cancelling it) when `until` has come first."""
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
        return True  # Python 3.10 can't tell; the task ends with an error either way

    def _fire(self) -> None:
        self._timer = None
        if self._task is None:
            return  # nobody is waiting; the next wait sets a new timer
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._fire)
            return
        self._expired = True
        if sys.version_info >= (3, 11):
            self._cancels_before = self._task.cancelling()
        self._task.cancel()
