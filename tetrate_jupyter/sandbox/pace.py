"""When each piece of an answer is due: a schedule kept without drift, so that speeds mean what they say."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.config import CHARACTERS_PER_TOKEN

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.endpoint import Endpoint

SMALLEST_PAUSE: Final = 0.012  # seconds; a fast model sends more text per chunk rather than shorter pauses
_WORDS = re.compile(r"\S+\s*|\s+")
_LONGEST_PIECE: Final = 24  # characters; words longer than this come in parts, as tokens would


@dataclass
class Schedule:
    """Waits until pieces are due, counted from when it was made. `speed` multiplies the pace; infinite: no waiting."""

    endpoint: Endpoint
    speed: float
    due: float = 0.0

    def __post_init__(self) -> None:
        self._start = time.monotonic()

    async def after(self, seconds: float) -> None:
        """Wait until `seconds` (at speed 1) after the last thing that was due."""
        if math.isinf(self.speed):
            return
        self.due += seconds / self.speed
        left = self._start + self.due - time.monotonic()
        if left > 0:
            await self.endpoint.wait(left)


def pieces(text: str, rate: float) -> list[tuple[str, float]]:
    """Cut a text into chunks of whole words, each with its seconds at `rate` tokens per second."""
    most = max(CHARACTERS_PER_TOKEN, SMALLEST_PAUSE * rate * CHARACTERS_PER_TOKEN)
    found: list[str] = []
    piece = ""
    for word in _parts(text):
        piece += word
        if len(piece) >= most:
            found.append(piece)
            piece = ""
    if piece:
        found.append(piece)
    return [(p, len(p) / CHARACTERS_PER_TOKEN / rate) for p in found]


def _parts(text: str) -> list[str]:
    words = _WORDS.findall(text)
    return [word[i : i + _LONGEST_PIECE] for word in words for i in range(0, len(word), _LONGEST_PIECE)]
