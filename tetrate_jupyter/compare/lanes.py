"""A model's queue, with a limit of concurrent calls that falls after a 429 and rises with each success; pure."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.compare.cells import Cell

LONGEST_REST: Final = 60.0  # seconds; a longer wait is reported to the person instead
_FIRST_REST: Final = 1.0  # seconds where the router names none; doubled each time


class Lane:
    """The waiting cells of one model. `limit` calls may run at once, never more than initially.

    Times are seconds of the caller's clock.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0
        self.resting_until = 0.0
        self._most = limit
        self._waiting: deque[tuple[int, Cell]] = deque()
        self._refusals = 0

    def add(self, turn: int, cell: Cell) -> None:
        """Append a cell; `turn` is its position among the cells of all lanes."""
        self._waiting.append((turn, cell))

    def put_back(self, cell: Cell) -> None:
        """Put a refused cell before all others."""
        self._waiting.appendleft((self.turn, cell))

    @property
    def turn(self) -> int:
        """The next cell's turn; 0 for none."""
        return self._waiting[0][0] if self._waiting else 0

    @property
    def next(self) -> Cell | None:
        """The next cell, which stays in the queue; None for none."""
        return self._waiting[0][1] if self._waiting else None

    def first(self) -> list[tuple[int, Cell]]:
        """Return the cells that could start now, each with its turn, in order."""
        return list(islice(self._waiting, max(0, self.limit - self.running)))

    def is_ready(self, now: float) -> bool:
        """Whether there is a next cell that may start."""
        return bool(self._waiting) and self.running < self.limit and now >= self.resting_until

    def take(self) -> Cell:
        """Remove the next cell and return it."""
        return self._waiting.popleft()[1]

    def take_if(self, wanted: Callable[[Cell], bool]) -> list[Cell]:
        """Remove all cells for which `wanted` is true, and return them."""
        taken = [cell for _, cell in self._waiting if wanted(cell)]
        self._waiting = deque(pair for pair in self._waiting if not wanted(pair[1]))
        return taken

    def ease(self) -> None:
        """Halve the limit."""
        self.limit = max(1, self.limit // 2)

    def rest(self, now: float, asked: float | None) -> float | None:
        """Slow down after a refusal; return the seconds until the next call, or None if that is too long.

        `asked`: the seconds that the router named, or None for exponential backoff.
        """
        self.ease()
        seconds = asked if asked is not None else _FIRST_REST * 2.0**self._refusals
        if seconds > LONGEST_REST:
            return None
        self._refusals += 1
        self.resting_until = max(self.resting_until, now + seconds)
        return seconds

    def succeeded(self) -> None:
        """Raise the limit by one, up to the initial one."""
        self._refusals = 0
        self.limit = min(self._most, self.limit + 1)
