"""One model's queue: how many calls run at once, fewer after a 429, more again with each success; pure."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from tetrate_jupyter.compare.cells import Cell

LONGEST_REST: Final = 60.0  # seconds; a router that asks for more is told to the person instead of waited for
_FIRST_REST: Final = 1.0  # seconds, where the router doesn't say; doubles


class Lane:
    """The cells of one model that wait for their turn. `limit` calls run at once, never more than at the start.

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
        """Put a cell at the end; `turn` is its number among those of all lanes."""
        self._waiting.append((turn, cell))

    def put_back(self, cell: Cell) -> None:
        """Put a cell that has been refused before all others."""
        self._waiting.appendleft((self.turn, cell))

    @property
    def turn(self) -> int:
        """The number of the next cell's turn."""
        return self._waiting[0][0] if self._waiting else 0

    @property
    def next(self) -> Cell | None:
        """The cell that is next, left in its place."""
        return self._waiting[0][1] if self._waiting else None

    def first(self) -> list[tuple[int, Cell]]:
        """Return the cells that could start at once, each with its turn, in their order."""
        return list(islice(self._waiting, max(0, self.limit - self.running)))

    def is_ready(self, now: float) -> bool:
        """Whether the next cell may start."""
        return bool(self._waiting) and self.running < self.limit and now >= self.resting_until

    def take(self) -> Cell:
        """Take the next cell out."""
        return self._waiting.popleft()[1]

    def take_if(self, wanted: Callable[[Cell], bool]) -> list[Cell]:
        """Take out every cell that is wanted."""
        taken = [cell for _, cell in self._waiting if wanted(cell)]
        self._waiting = deque(pair for pair in self._waiting if not wanted(pair[1]))
        return taken

    def ease(self) -> None:
        """Run half as many at once."""
        self.limit = max(1, self.limit // 2)

    def rest(self, now: float, asked: float | None) -> float | None:
        """Slow down after a refusal; return the seconds until the next call, None where that would be too long.

        `asked`: the seconds that the router named, or None.
        """
        self.ease()
        seconds = asked if asked is not None else _FIRST_REST * 2.0**self._refusals
        if seconds > LONGEST_REST:
            return None
        self._refusals += 1
        self.resting_until = max(self.resting_until, now + seconds)
        return seconds

    def succeeded(self) -> None:
        """Go back to the usual pace, one call more at a time."""
        self._refusals = 0
        self.limit = min(self._most, self.limit + 1)
