"""Pacing an answer's pieces: a schedule without drift, so that the speed is exact."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tetrate_jupyter.config import CHARACTERS_PER_TOKEN

if TYPE_CHECKING:
    from tetrate_jupyter.sandbox.endpoint import Endpoint

SMALLEST_PAUSE: Final = 0.012  # seconds; a faster model sends longer chunks rather than making shorter pauses
_WORDS = re.compile(r"\S+\s*|\s+")
_LONGEST_PIECE: Final = 24  # characters; longer words are split, as they would be into tokens


@dataclass
class Schedule:
    """Waits until pieces are due, counted from its creation. `speed` multiplies the pace; infinity: never wait."""

    endpoint: Endpoint
    speed: float
    due: float = 0.0

    def __post_init__(self) -> None:
        self._start = time.monotonic()

    async def after(self, seconds: float) -> None:
        """Wait until `seconds` (at speed 1) after the previous due time."""
        if math.isinf(self.speed):
            return
        self.due += seconds / self.speed
        left = self._start + self.due - time.monotonic()
        if left > 0:
            await self.endpoint.wait(left)


def pieces(text: str, rate: float) -> list[tuple[str, float]]:
    """Return a text in chunks of whole words, each with its duration in seconds at `rate` tokens per second."""
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
