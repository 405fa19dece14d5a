"""How old what is kept has become, where nobody can be asked but a clock that may be wrong.

A clock that was ahead for a moment must not cost what is kept: nothing goes for its age on the word of one reading.
What is on disk is the other witness, since each entry was made at a reading of its own. The present is therefore the
clock's time, or the third newest day on which something was kept, whichever is earlier: a clock that is ahead has to be
so on three days before it is believed, and who comes back after a long pause keeps what is there for two days more. In
use, that is two days of difference. What seems to be earlier than that third day was made by a clock that was behind.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY: Final = 86_400.0  # seconds
WITNESSES: Final = 3  # days on which something was kept


def day_number(moment: float) -> int:
    """Return the number of the day (UTC) of seconds since the epoch."""
    return int(moment // DAY)


def witnessed(days: Iterable[int]) -> float:
    """Return since when it is the present at least, seconds since the epoch; minus infinity where that isn't known.

    `days`: the numbers of the days on which something was kept.
    """
    newest = heapq.nlargest(WITNESSES, set(days))
    return newest[-1] * DAY if len(newest) == WITNESSES else float("-inf")
