"""One run of a coroutine, shared by all callers that want the same thing at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

T = TypeVar("T")

_STOPPING_TIMEOUT: Final = 2.0  # seconds a cancelled run gets to close its connection


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiters: int = 0


class SingleFlight(Generic[T]):
    """Runs that several callers share; a run is never shared between event loops.

    Cancelling one caller leaves the run to the others; cancelling the last one cancels the run.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def run(self, name: Hashable, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the run called `name`, starting it unless it is under way."""
        key = (asyncio.get_running_loop(), name)
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key, start)
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._drop(key, flight)
                flight.task.cancel()
                await asyncio.wait({flight.task}, timeout=_STOPPING_TIMEOUT)

    def _start(self, key: Hashable, start: Callable[[], Coroutine[Any, Any, T]]) -> _Flight[T]:
        flight = _Flight(asyncio.ensure_future(start()))
        self._flights[key] = flight

        def ended(task: asyncio.Task[T]) -> None:
            self._drop(key, flight)
            if not task.cancelled():
                task.exception()  # marked as retrieved: the waiters, if any are left, get it

        flight.task.add_done_callback(ended)
        return flight

    def _drop(self, key: Hashable, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
