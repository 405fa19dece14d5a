"""(l) Looking for the keys of this process in a text: 1,000 keys against one."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

from tetrate_jupyter import secrecy
from tetrate_jupyter.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXT: Final = "The quick brown fox jumps over {the: lazy dog}, sk-learn. " * 17_000  # a megabyte
_ROUNDS: Final = 5
_PIECE: Final = 8  # characters of a stream's piece


def measure() -> dict[str, float]:
    """Return how many times longer 1,000 keys take than one: for a whole text, and for one that comes in pieces."""
    one, many = _measured(1), _measured(1_000)
    return {"text_ratio": many[0] / one[0], "stream_ratio": many[1] / one[1]}


def _measured(count: int) -> tuple[float, float]:
    keys = [Secret(f"sk-bench-{secrets.token_urlsafe(32)}", host="bench") for _ in range(count)]
    secrecy.holds("")  # what is made once, is made
    found = _least(lambda: secrecy.holds(_TEXT)), _least(_streamed)
    assert len(keys) == count
    return found


def _streamed() -> None:
    passing = secrecy.Passing()
    for at in range(0, 100_000, _PIECE):
        passing.feed(_TEXT[at : at + _PIECE])


def _least(work: Callable[[], object]) -> float:
    took = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)
